// What configuration files of old releases lack.
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace postrider::postfix {

/// Adds services to master.cf that are missing there, and changes entries of old releases to what they have
/// to be now; all else stays as it is. Prints a line for each change, as Postfix does.
Result<void> upgrade_files(const config::Config& config);

}  // namespace postrider::postfix

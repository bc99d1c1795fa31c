// "postfix logrotate".
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace postrider::postfix {

/// Gives maillog_file a name with the time in it and compresses it. postlogd notices that the file was moved,
/// and begins a new one.
Result<void> rotate_log(const config::Config& config);

}  // namespace postrider::postfix

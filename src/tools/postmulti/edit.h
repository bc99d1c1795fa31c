// "postmulti -e": instances made, taken in, given away and changed.
#pragma once

#include "tools/postmulti/instances.h"

namespace postrider::postmulti {

/// "-e init"; the exit status.
int init(const config::Config& primary);

/// Carries out another edit action. Errors that concern the command line are returned; what goes wrong in the
/// work is logged in the name of postmulti-script, and the result is an exit status.
Result<int> edit(const config::Config& primary, const Instances& instances, const Options& options);

}  // namespace postrider::postmulti

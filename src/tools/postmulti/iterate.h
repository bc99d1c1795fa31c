// "postmulti -l", -p and -x: the same for each instance.
#pragma once

#include "tools/postmulti/instances.h"

namespace postrider::postmulti {

/// Carries out the iterator modes; the result is an exit status. An error is about the selection.
Result<int> iterate(const config::Config& primary, const Instances& instances, const Options& options);

}  // namespace postrider::postmulti

// postconf --coverage: which parameters this release acts on, and which tests show it.
#pragma once

#include "tools/postconf/options.h"

namespace postrider::postconf {

/// Prints "name state tests" of the parameters named, else of all; with -j as JSON.
void show_coverage(const Options& options);

}  // namespace postrider::postconf

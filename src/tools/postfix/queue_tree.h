// The directories that the mail system needs, and whether they are as they should be.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace postrider::tools {

/// Makes what is missing of the queue and data directories, with owner and mode, and corrects those below the queue
/// directory. Without root everything belongs to the caller.
Result<void> prepare_directories(const config::Config& config);

/// What is not as it should be: owners, permissions, symbolic links. One warning each.
std::vector<std::string> check_installation(const config::Config& config);

}  // namespace postrider::tools

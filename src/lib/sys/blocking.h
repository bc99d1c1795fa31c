// Waits with a limit for commands, which have no event loop.
#pragma once

#include <chrono>

#include "base/result.h"

namespace postrider::sys {

/// Until there is something to read from the descriptor, or its other end is closed. False when `limit` has
/// passed before.
Result<bool> wait_readable(int fd, std::chrono::seconds limit);

}  // namespace postrider::sys

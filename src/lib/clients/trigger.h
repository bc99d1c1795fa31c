// Waking services up.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace postrider::clients {

/// Writes one-letter requests to the socket or FIFO of a service, below the queue directory, which is the
/// working directory; for commands, as it may block, but for the connection no longer than trigger_timeout.
/// Nothing is answered; the service gets `patience` to take the requests before the connection is closed.
/// Error::code is that of the system call that failed.
Result<void> trigger(const config::Config& config, const std::string& path, std::string_view requests,
                     std::chrono::seconds patience = {});

/// What the queue manager understands.
inline constexpr std::string_view kQmgrFlushAll = "FADI";  ///< Forget dead destinations; try everything now.
inline constexpr std::string_view kWakeUp = "W";

}  // namespace postrider::clients

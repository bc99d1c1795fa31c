// The addresses of this mail system, as plain lists.
#pragma once

#include <vector>

#include "config/config.h"
#include "sys/socket.h"

namespace postrider::clients {

/// The addresses of inet_interfaces. Like the next one it looks names up, which may block, and throws
/// ConfigError: for start-up.
std::vector<sys::Address> interface_addresses(const config::Config& config);
/// The addresses that stand for this system from outside (proxy_interfaces).
std::vector<sys::Address> proxy_addresses(const config::Config& config);

}  // namespace postrider::clients

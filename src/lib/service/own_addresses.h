// The addresses of this mail system, beside those of config/own_addresses.h.
#pragma once

#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "sys/socket.h"

namespace postrider::service {

/// The addresses that stand for this system from outside (proxy_interfaces). Names are looked up, which may block:
/// for start-up.
Result<std::vector<sys::Address>> proxy_addresses(const config::Config& config);

/// What a listener without a host in master.cf binds to: the wildcard addresses with "inet_interfaces = all", else
/// the addresses named there.
Result<std::vector<sys::Address>> listen_addresses(const config::Config& config);

}  // namespace postrider::service

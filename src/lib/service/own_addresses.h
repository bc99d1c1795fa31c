// The addresses of this mail system.
#pragma once

#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "sys/socket.h"

namespace postrider::service {

/// Whether inet_protocols has IPv4 and IPv6. Throws ConfigError when it has neither.
struct Protocols {
  bool ipv4 = false, ipv6 = false;
};
Protocols enabled_protocols(const config::Config& config);

/// The addresses on which mail is received (inet_interfaces), of the enabled protocols, port 0. Host names are
/// looked up; throws ConfigError for one that has no address. May block: for start-up.
std::vector<sys::Address> interface_addresses(const config::Config& config);

/// The addresses that stand for this system from outside (proxy_interfaces).
std::vector<sys::Address> proxy_addresses(const config::Config& config);

/// What a listener without a host in master.cf binds to: the wildcard addresses with "inet_interfaces = all", else
/// interface_addresses().
std::vector<sys::Address> listen_addresses(const config::Config& config);

}  // namespace postrider::service

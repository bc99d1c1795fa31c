// The network addresses of this mail system, from inet_interfaces and inet_protocols.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "sys/interfaces.h"

namespace postrider::config {

/// What inet_protocols allows; an empty list allows nothing.
struct InetProtocols {
  bool ipv4 = false, ipv6 = false;
};
/// The error is Postfix's: unknown inet_protocols value "x" in "x".
Result<InetProtocols> inet_protocols(const Config& config);

/// The addresses on which inet_interfaces lets this system receive mail, with their subnets; IPv4 before
/// IPv6. Host names are resolved, so this can block: for start-up.
Result<std::vector<sys::InterfaceAddress>> own_addresses(const Config& config);

/// The text of mynetworks that mynetworks_style describes: "127.0.0.0/8 [::1]/128".
Result<std::string> networks_of(const std::vector<sys::InterfaceAddress>& addresses, std::string_view style);

}  // namespace postrider::config

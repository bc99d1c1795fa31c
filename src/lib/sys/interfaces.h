// The network interfaces of this machine, and host names as the resolver library has them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/socket.h"

namespace postrider::sys {

struct InterfaceAddress {
  Address address;
  int prefix_length = 0;  ///< Of the subnet: 24 for 255.255.255.0.
};

/// The IPv4 and IPv6 addresses of interfaces that are up, in the order of the system.
Result<std::vector<InterfaceAddress>> interface_addresses();

/// The addresses of a host name or numeric address, each once, in the order of the resolver; none when the
/// name does not exist. Blocks: for start-up and tools.
std::vector<Address> resolve_host(const std::string& name);

}  // namespace postrider::sys

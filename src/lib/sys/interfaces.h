// The network interfaces of this machine.
#pragma once

#include <vector>

#include "base/result.h"
#include "sys/socket.h"

namespace postrider::sys {

struct Interface {
  Address address;
  int prefix = 0;  ///< Length of the netmask in bits.
};

/// The IPv4 and IPv6 addresses of all interfaces that are up.
Result<std::vector<Interface>> interfaces();

/// Whether IPv6 sockets can be made here.
bool has_ipv6();

}  // namespace postrider::sys

// "host:port", "transport:nexthop" and their kin in configuration and lookup tables.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::mail {

struct HostPort {
  std::string_view host;  ///< Without "[" and "]", and without "IPv6:".
  std::string_view port;  ///< A number or a service name.
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// Reads host, host:port, [host] or [host]:port; an IPv6 address with a port may go without brackets. A
/// missing port is `default_port`.
Result<HostPort> parse_host_port(std::string_view text, std::string_view default_port);
/// The same where the host may be missing ("port" or ":port" of a listening socket) and the port may not.
Result<HostPort> parse_port_with_host(std::string_view text, std::string_view default_host);

/// "transport:nexthop": what stands before the first ":", and what follows; either may be empty.
struct TransportNexthop {
  std::string_view transport;
  std::string_view nexthop;
  bool has_colon;
};
TransportNexthop split_transport(std::string_view text);

}  // namespace postrider::mail

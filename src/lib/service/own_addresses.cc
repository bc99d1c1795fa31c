#include "service/own_addresses.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/own_addresses.h"
#include "config/params/instance.h"
#include "sys/interfaces.h"

namespace postrider::service {

namespace params = config::params;

namespace {

bool has_ipv6() { return static_cast<bool>(sys::Fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))); }

}  // namespace

Result<std::vector<sys::Address>> proxy_addresses(const config::Config& config) {
  std::vector<sys::Address> out;
  std::string text = config.get(params::proxy_interfaces);
  for (std::string_view word : split_any(text, kListSeparators)) {
    std::vector<sys::Address> found = sys::resolve_host(std::string(word));
    if (found.empty()) return fail(ErrorKind::not_found, fmt::format("config variable proxy_interfaces: host not found: {}", word));
    for (const sys::Address& address : found) {
      if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
    }
  }
  return out;
}

Result<std::vector<sys::Address>> listen_addresses(const config::Config& config) {
  std::vector<sys::Address> out;
  if (trim(config.get(params::inet_interfaces)) != "all") {
    for (sys::InterfaceAddress& own : TRY(config::own_addresses(config))) out.push_back(own.address);
    return out;
  }
  config::InetProtocols protocols = TRY(config::inet_protocols(config));
  if (protocols.ipv4) out.push_back(*sys::Address::from_ip("0.0.0.0"));
  // A machine without IPv6 is no reason not to serve IPv4.
  if (protocols.ipv6 && (!protocols.ipv4 || has_ipv6())) out.push_back(*sys::Address::from_ip("::"));
  return out;
}

}  // namespace postrider::service

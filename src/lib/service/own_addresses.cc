#include "service/own_addresses.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "sys/interfaces.h"

namespace postrider::service {

namespace params = config::params;

namespace {

bool wanted(const Protocols& protocols, const sys::Address& address) {
  return address.is_ipv4() ? protocols.ipv4 : address.is_ipv6() && protocols.ipv6;
}

void add_once(std::vector<sys::Address>& out, const sys::Address& address) {
  if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
}

/// The addresses of a name or address that the administrator wrote.
std::vector<sys::Address> addresses_of(const config::Config& config, const char* parameter, std::string_view text) {
  std::string_view host = text;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (auto address = sys::Address::from_ip(host)) return {*address};
  std::vector<sys::Address> out = sys::resolve_host(std::string(host));
  if (out.empty()) {
    throw config::ConfigError(fmt::format("config variable {}: host not found: {}", parameter, host),
                              config.source(parameter), "use addresses of this machine, or names that it can resolve");
  }
  return out;
}

bool has_ipv6() { return static_cast<bool>(sys::Fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))); }

std::vector<sys::Address> local_interface_addresses(const Protocols& protocols, bool loopback_only) {
  std::vector<sys::Address> out;
  auto interfaces = sys::interface_addresses();
  if (!interfaces) return out;
  for (const sys::InterfaceAddress& interface : *interfaces) {
    if (wanted(protocols, interface.address) && (!loopback_only || interface.address.is_loopback())) {
      add_once(out, interface.address);
    }
  }
  return out;
}

}  // namespace

Protocols enabled_protocols(const config::Config& config) {
  Protocols out;
  std::string text = config.get(params::inet_protocols);
  for (std::string_view word : split_any(text, kListSeparators)) {
    if (word == "all") out.ipv4 = out.ipv6 = true;
    if (word == "ipv4") out.ipv4 = true;
    if (word == "ipv6") out.ipv6 = true;
  }
  if (!out.ipv4 && !out.ipv6) {
    throw config::ConfigError(fmt::format("bad inet_protocols value: \"{}\"", text), config.source("inet_protocols"),
                              "use all, ipv4, ipv6 or a list of them");
  }
  return out;
}

std::vector<sys::Address> interface_addresses(const config::Config& config) {
  Protocols protocols = enabled_protocols(config);
  std::vector<sys::Address> out;
  std::string text = config.get(params::inet_interfaces);
  for (std::string_view word : split_any(text, kListSeparators)) {
    bool all = word == "all", loopback = word == "loopback-only";
    std::vector<sys::Address> found = all || loopback ? local_interface_addresses(protocols, loopback)
                                                      : addresses_of(config, "inet_interfaces", word);
    for (const sys::Address& address : found) {
      if (wanted(protocols, address)) add_once(out, address);
    }
  }
  return out;
}

std::vector<sys::Address> proxy_addresses(const config::Config& config) {
  std::vector<sys::Address> out;
  std::string text = config.get(params::proxy_interfaces);
  for (std::string_view word : split_any(text, kListSeparators)) {
    for (const sys::Address& address : addresses_of(config, "proxy_interfaces", word)) add_once(out, address);
  }
  return out;
}

std::vector<sys::Address> listen_addresses(const config::Config& config) {
  if (trim(config.get(params::inet_interfaces)) != "all") return interface_addresses(config);
  Protocols protocols = enabled_protocols(config);
  std::vector<sys::Address> out;
  if (protocols.ipv4) out.push_back(*sys::Address::from_ip("0.0.0.0"));
  // A machine without IPv6 is no reason not to serve IPv4.
  if (protocols.ipv6 && (!protocols.ipv4 || has_ipv6())) out.push_back(*sys::Address::from_ip("::"));
  return out;
}

}  // namespace postrider::service

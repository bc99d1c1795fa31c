#include "clients/own_addresses.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/own_addresses.h"
#include "config/params/instance.h"

namespace postrider::clients {

namespace params = config::params;

std::vector<sys::Address> interface_addresses(const config::Config& config) {
  auto own = config::own_addresses(config);
  if (!own) throw config::ConfigError(own.error().text, config.source("inet_interfaces"), "");
  std::vector<sys::Address> out;
  for (const sys::InterfaceAddress& item : *own)
    out.push_back(item.address);
  return out;
}

std::vector<sys::Address> proxy_addresses(const config::Config& config) {
  std::vector<sys::Address> out;
  std::string text = config.get(params::proxy_interfaces);
  for (std::string_view word : split_any(text, kListSeparators)) {
    std::vector<sys::Address> found = sys::resolve_host(std::string(word));
    if (found.empty()) {
      throw config::ConfigError(fmt::format("config variable proxy_interfaces: host not found: {}", word),
                                config.source("proxy_interfaces"),
                                "use addresses, or names that can be resolved");
    }
    for (const sys::Address& address : found) {
      if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
    }
  }
  return out;
}

}  // namespace postrider::clients

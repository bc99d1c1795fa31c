// hosts(5) and the hosts line of nsswitch.conf(5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "sys/socket.h"

namespace postrider::dns {

/// The content of a hosts file.
class HostsFile {
 public:
  static HostsFile parse(std::string_view text);
  /// All addresses of a name; any case.
  std::vector<sys::Address> addresses(std::string_view name) const;
  /// The first name of the first line with the address.
  std::optional<std::string> name(const sys::Address& address) const;

 private:
  std::unordered_map<std::string, std::vector<sys::Address>, TextHash, std::equal_to<>> by_name_;
  std::unordered_map<std::string, std::string> by_address_;  // The key is the address's bytes.
};

/// Where the name service looks for hosts.
struct HostSources {
  bool files = false;
  bool dns = false;
  /// There are other sources or conditions, or another order than files, dns: only the C library knows.
  bool native = false;
};
HostSources parse_host_sources(std::string_view nsswitch);

}  // namespace postrider::dns

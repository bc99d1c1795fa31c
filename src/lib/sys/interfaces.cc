#include "sys/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <bit>
#include <memory>

namespace postrider::sys {

namespace {

bool is_ip(const sockaddr* address) {
  return address && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

Address to_address(const sockaddr* address) {
  return Address(address, address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
}

/// Number of leading one bits of a netmask.
int mask_length(const sockaddr* mask, int full_length) {
  if (!is_ip(mask)) return full_length;
  int length = 0;
  const Address address = to_address(mask);
  for (uint8_t byte : address.bytes()) {
    length += std::countl_one(byte);
    if (byte != 0xff) break;
  }
  return length;
}

}  // namespace

Result<std::vector<InterfaceAddress>> interface_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return fail_errno("getifaddrs");
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  std::vector<InterfaceAddress> out;
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (!(entry->ifa_flags & IFF_UP) || !is_ip(entry->ifa_addr)) continue;
    Address address = to_address(entry->ifa_addr);
    int full_length = static_cast<int>(address.bytes().size()) * 8;
    out.push_back({address, mask_length(entry->ifa_netmask, full_length)});
  }
  return out;
}

std::vector<Address> resolve_host(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return {};
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<Address> out;
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    if (!is_ip(entry->ai_addr)) continue;
    Address address = to_address(entry->ai_addr);
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
  }
  return out;
}

}  // namespace postrider::sys

#include "sys/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <bit>
#include <memory>

#include "sys/fd.h"

namespace postrider::sys {

Result<std::vector<Interface>> interfaces() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return fail_errno("getifaddrs");
  std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::vector<Interface> out;
  for (ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || (item->ifa_flags & IFF_UP) == 0) continue;
    int family = item->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    Interface found{Address(item->ifa_addr, length), 0};
    if (item->ifa_netmask != nullptr) {
      Address mask(item->ifa_netmask, length);
      for (uint8_t byte : mask.bytes()) found.prefix += std::popcount(byte);
    }
    out.push_back(std::move(found));
  }
  return out;
}

bool has_ipv6() { return static_cast<bool>(Fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))); }

}  // namespace postrider::sys

#include "sys/name_service.h"

#include <netdb.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace postrider::sys {

namespace {

#ifdef EAI_NODATA
constexpr int kNoData = EAI_NODATA;
#else
constexpr int kNoData = EAI_NONAME;
#endif

HostAnswer failure(int code, int errno_value) {
  switch (code) {
    case EAI_NONAME:
      return HostAnswer::failed(HostError::unknown_host);
#ifdef EAI_NODATA
    case EAI_NODATA:
      return HostAnswer::failed(HostError::no_address);
#endif
    case EAI_AGAIN:
      return HostAnswer::failed(HostError::try_again);
    case EAI_SYSTEM:
      return {HostError::system, strerror(errno_value), {}, {}};
    case EAI_MEMORY:
      return {HostError::system, gai_strerror(code), {}, {}};
    default:
      return {HostError::other, gai_strerror(code), {}, {}};
  }
}

}  // namespace

std::string host_error_text(HostError error) {
  switch (error) {
    case HostError::none:
      return {};
    case HostError::unknown_host:
      return gai_strerror(EAI_NONAME);
    case HostError::no_address:
      return gai_strerror(kNoData);
    case HostError::try_again:
      return gai_strerror(EAI_AGAIN);
    case HostError::system:
      return gai_strerror(EAI_SYSTEM);
    case HostError::other:
      break;
  }
  return gai_strerror(EAI_FAIL);
}

HostAnswer get_host_addresses(const std::string& host, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int code = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) return failure(code, errno);
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  HostAnswer answer;
  for (addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6) {
      answer.addresses.emplace_back(entry->ai_addr, entry->ai_addrlen);
    }
  }
  return answer;
}

HostAnswer get_host_name(const Address& address) {
  std::array<char, NI_MAXHOST> name;
  int code = getnameinfo(address.get(), address.length(), name.data(), name.size(), nullptr, 0, NI_NAMEREQD);
  if (code != 0) return failure(code, errno);
  HostAnswer answer;
  answer.name = name.data();
  return answer;
}

namespace {

std::optional<uint16_t> port_of(const std::string& name, const char* protocol) {
  const servent* entry = getservbyname(name.c_str(), protocol);
  if (entry == nullptr) return std::nullopt;
  return ntohs(static_cast<uint16_t>(entry->s_port));
}

}  // namespace

std::optional<uint16_t> service_port(const std::string& name) {
  return port_of(name, "tcp");
}
std::optional<uint16_t> udp_service_port(const std::string& name) {
  return port_of(name, "udp");
}

}  // namespace postrider::sys

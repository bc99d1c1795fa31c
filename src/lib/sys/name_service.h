// Host names and addresses as the name service of the system has them (hosts file, DNS, whatever
// nsswitch.conf says). These calls block: on an event loop they go through io::offload().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/socket.h"

namespace postrider::sys {

/// Why there is no name or address: the EAI_ codes of <netdb.h>, which differ between systems.
enum class HostError : unsigned char {
  none,
  unknown_host,  ///< EAI_NONAME
  no_address,    ///< EAI_NODATA: the host exists, without an address of the family.
  try_again,     ///< EAI_AGAIN
  system,        ///< EAI_SYSTEM, EAI_MEMORY
  other,
};

/// In the words of the C library: "Name or service not known".
std::string host_error_text(HostError error);

struct HostAnswer {
  HostError error = HostError::none;
  std::string text;                ///< For an error.
  std::vector<Address> addresses;  ///< Of get_host_addresses().
  std::string name;                ///< Of get_host_name().

  bool found() const { return error == HostError::none; }
  bool temporary() const { return error == HostError::try_again || error == HostError::system; }
  static HostAnswer failed(HostError why) { return {why, host_error_text(why), {}, {}}; }
};

/// getaddrinfo() for AF_INET, AF_INET6 or AF_UNSPEC.
HostAnswer get_host_addresses(const std::string& host, int family);
/// getnameinfo() with a name required.
HostAnswer get_host_name(const Address& address);

/// The TCP port of a service by its name in services(5).
std::optional<uint16_t> service_port(const std::string& name);
/// The same for UDP.
std::optional<uint16_t> udp_service_port(const std::string& name);

}  // namespace postrider::sys

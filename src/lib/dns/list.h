// Lists of addresses that others keep in the DNS (RFC 5782): what they are asked, and patterns for their
// replies, as in "list.example=127.0.0.[1;4..7]" (postconf(5), reject_rbl_client and postscreen_dnsbl_sites).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/socket.h"

namespace postrider::dns {

/// The labels for an address in front of a list's domain: "1.2.0.192" for 192.0.2.1; nibbles for IPv6.
std::string reversed(const sys::Address& address);

class Ipv4Pattern {
 public:
  /// The error says what and where: `need "." at "1.2.3><"`.
  static Result<Ipv4Pattern> parse(std::string_view text);
  /// False for anything else than four bytes.
  bool matches(std::span<const uint8_t> address) const;

 private:
  std::array<std::bitset<256>, 4> octets_;
};

}  // namespace postrider::dns

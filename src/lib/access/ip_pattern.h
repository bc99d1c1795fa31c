// Patterns of IPv4 addresses, as replies of DNS lists are filtered with: "127.0.0.[1;4..7]" (postconf(5),
// reject_rbl_client).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace postrider::access {

class Ipv4Pattern {
 public:
  /// The error's text is a log line.
  static Result<Ipv4Pattern> parse(std::string_view text);
  /// False for anything else than four bytes.
  bool matches(std::span<const uint8_t> address) const;

 private:
  std::array<std::bitset<256>, 4> octets_;
};

}  // namespace postrider::access

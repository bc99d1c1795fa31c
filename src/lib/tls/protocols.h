// Which versions of the protocol are used: smtpd_tls_protocols and its kin.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace postrider::tls {

struct Protocols {
  int min = 0, max = 0;   ///< Version numbers as on the wire (0x0303); 0: no bound.
  uint64_t excluded = 0;  ///< SSL_OP_NO_... of versions that are named, or not among those that are named.

  /// The way to say no encryption may be had at all is to exclude everything, which is no mistake here.
  friend bool operator==(const Protocols&, const Protocols&) = default;
};

/// ">=TLSv1.2", "<=0x0304", "!SSLv3", "TLSv1.2"; separated by white space, commas or colons. The error is
/// that a word is no protocol.
Result<Protocols> parse_protocols(std::string_view list);

}  // namespace postrider::tls

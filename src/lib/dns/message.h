// DNS messages (RFC 1035 section 4): building queries and reading what name servers answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/record.h"

namespace postrider::dns {

/// The largest answer over UDP that is asked for with EDNS0: it fits one packet on any link.
inline constexpr uint16_t kEdnsSize = 1232;

/// Response codes.
inline constexpr int kNoError = 0, kServerFailure = 2, kNameError = 3;

/// A recursive query. With `dnssec` it has an EDNS0 record with the DO bit, and the AD bit. Nothing when the
/// name does not fit a query.
std::optional<std::string> build_query(uint16_t id, std::string_view name, Type type, bool dnssec);

/// What an answer has to say about the type that was asked for.
enum class Outcome : unsigned char {
  found,
  alias,         ///< Only a CNAME.
  nothing,       ///< No answer records at all; see Reply::rcode.
  unrelated,     ///< Records, but none that answers the question.
  null_mx,       ///< RFC 7505: the domain does not take mail.
  null_service,  ///< RFC 2782: the service is not available.
  damaged,       ///< Cut short, or with impossible lengths: may come out better next time.
  malformed,     ///< A name in it is not a host name.
};

struct Reply {
  Outcome outcome = Outcome::damaged;
  int rcode = kServerFailure;
  bool authenticated = false;   ///< The AD bit.
  bool alias_trusted = true;    ///< No CNAME, or the AD bit covers it.
  std::vector<Record> records;  ///< For Outcome::found; `validated` set from the AD bit.
  std::string alias;            ///< Target of the last CNAME in the answer.
  /// How long this may be remembered: the smallest TTL, or that of a negative answer (RFC 2308). 0: not at
  /// all.
  uint32_t ttl = 0;
  std::vector<std::string> warnings;  ///< For the log.
};

/// Reads the answer to a query for `type`. Never fails: what cannot be read is an outcome.
Reply parse_reply(std::string_view message, Type type);

}  // namespace postrider::dns

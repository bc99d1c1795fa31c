// Resource records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/socket.h"

namespace postrider::dns {

/// The record types that mail needs; others are skipped in answers.
enum class Type : uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
  tlsa = 52,
};

/// "MX"; "Type 99" for one without a name here.
std::string type_name(Type type);
/// The reverse, in any case.
std::optional<Type> parse_type(std::string_view name);

/// One record of an answer.
struct Record {
  std::string owner;  ///< The name that has it: the last of a CNAME chain.
  Type type = Type::a;
  uint32_t ttl = 0;         ///< Seconds that are left.
  bool validated = false;   ///< DNSSEC: the name server vouches for it and for the aliases that led to it.
  uint16_t preference = 0;  ///< MX; the priority of SRV.
  uint16_t weight = 0;      ///< SRV.
  uint16_t port = 0;        ///< SRV.
  /// A and AAAA: the address bytes. MX, SRV, PTR, NS, CNAME: a host name. TXT: the text, with blanks for
  /// non-printable bytes. TLSA: usage, selector, matching type (a byte each) and the association data.
  std::string data;

  /// The address of an A or AAAA record; otherwise nothing.
  std::optional<sys::Address> address() const;
  /// "mx.example. 3600 IN MX 10 relay.example.", as *_dns_reply_filter tables are asked.
  std::string text() const;
};

/// At most this many records of an answer, or of the answers that are put together for one purpose, are used.
inline constexpr size_t kMaxRecords = 100;

/// Adds to a list of at most kMaxRecords; what does not fit is dropped with a warning in the log.
void append_records(std::vector<Record>& list, std::vector<Record> more);
/// That warning. `last` is the last record that has found room.
std::string too_many_records(const Record& last);

}  // namespace postrider::dns

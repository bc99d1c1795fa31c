// What postscreen asks the dnsblog service. Types 168 to 171.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// Addresses of one reply of a DNS list that count; more are left out.
inline constexpr size_t kMaxListReplies = 100;

/// Whether a DNS list has a client.
struct DnsblogQuery {
  static constexpr uint16_t kType = 168;
  ipc::Text<ipc::kMaxName> domain;
  ipc::Text<64> address;  ///< "192.0.2.1", "2001:db8::1"
  void fields(auto& f) { f(domain, address); }
};

struct DnsblogReply {
  static constexpr uint16_t kType = 169;
  ipc::List<uint32_t, kMaxListReplies> listed;  ///< IPv4 addresses, the first octet the highest; empty: no.
  int64_t ttl = -1;                             ///< Seconds for which this holds; -1: not known.
  void fields(auto& f) { f(listed, ttl); }
};

}  // namespace postrider::proto

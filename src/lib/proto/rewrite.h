// What the rewrite service (trivial-rewrite) is asked. Types 16 to 23.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// Rewrites addresses to their standard form for a context (local, remote or any other domain context).
struct RewriteRequest {
  static constexpr uint16_t kType = 16;
  ipc::Text<64> context;  ///< "local" or "remote"
  ipc::List<ipc::Text<ipc::kMaxAddress>, 128> addresses;
  void fields(auto& f) { f(context, addresses); }
};
struct RewriteReply {
  static constexpr uint16_t kType = 17;
  ipc::List<ipc::Text<ipc::kMaxAddress>, 128> addresses;  ///< In the order asked.
  void fields(auto& f) { f(addresses); }
};

/// What decided a result: the parameter, where it was set, the table and the key in it.
struct Provenance {
  ipc::Text<128> parameter;
  ipc::Text<ipc::kMaxPath> source;  ///< "/etc/postfix/main.cf:12"
  ipc::Text<ipc::kMaxPath> table;
  ipc::Text<ipc::kMaxAddress> key;
  void fields(auto& f) { f(parameter, source, table, key); }
};

/// Flags of a resolved address; the address classes of ADDRESS_CLASS_README and what can go wrong.
enum ResolveFlag : uint32_t {
  kResolveLocal = 1 << 0,
  kResolveVirtualAlias = 1 << 1,
  kResolveVirtualMailbox = 1 << 2,
  kResolveRelay = 1 << 3,
  kResolveDefault = 1 << 4,
  kResolveInvalid = 1 << 5,  ///< No mail can go to this address: it is malformed.
  kResolveRouted = 1 << 6,   ///< The address has routing in its localpart (user%host@site and the like).
  kResolveFailed = 1 << 7,   ///< A table did not answer: try again later.
};

struct ResolveRequest {
  static constexpr uint16_t kType = 18;
  ipc::Text<ipc::kMaxAddress> sender;  ///< For sender-dependent routing.
  ipc::Text<ipc::kMaxAddress> address;
  bool verify = false;   ///< An address verification probe: address_verify_* routing applies.
  bool explain = false;  ///< The reply carries what decided it.
  void fields(auto& f) { f(sender, address, verify, explain); }
};
struct ResolveReply {
  static constexpr uint16_t kType = 19;
  ipc::Text<ipc::kMaxName> transport, nexthop;
  ipc::Text<ipc::kMaxAddress> recipient;
  uint32_t flags = 0;
  ipc::List<Provenance, 8> because;
  void fields(auto& f) { f(transport, nexthop, recipient, flags, because); }
};

}  // namespace postrider::proto

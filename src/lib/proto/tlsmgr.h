// What tlsmgr keeps for processes that speak TLS: sessions, keys of session tickets, randomness. Types 148 to
// 155.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// Whose sessions: those of the server, and of both kinds of clients.
enum class TlsCache : uint8_t { smtpd, smtp, lmtp };
inline constexpr size_t kTlsCaches = 3;
inline constexpr size_t kMaxTlsSeed = 1024;

struct TlsSeed {
  static constexpr uint16_t kType = 148;
  uint32_t bytes = 0;
  void fields(auto& f) { f(bytes); }
};
struct TlsSeedReply {
  static constexpr uint16_t kType = 149;
  ipc::Text<kMaxTlsSeed> seed;
  void fields(auto& f) { f(seed); }
};

struct TlsTicketKeysQuery {
  static constexpr uint16_t kType = 150;
  void fields(auto&) {}
};
struct TlsTicketKey {
  ipc::Text<16> name;
  ipc::Text<32> cipher_key, mac_key;
  int64_t expires = 0;  ///< Seconds since 1970: until then tickets are made with it.
  void fields(auto& f) { f(name, cipher_key, mac_key, expires); }
};
/// The second key is that before the first one. None where sessions are not resumed.
struct TlsTicketKeysReply {
  static constexpr uint16_t kType = 151;
  ipc::List<TlsTicketKey, 2> keys;
  void fields(auto& f) { f(keys); }
};

struct TlsSession {
  static constexpr uint16_t kType = 152;
  enum class Action : uint8_t { find, save, remove };
  Action action{};
  TlsCache cache{};
  ipc::Text<ipc::kMaxName> id;
  ipc::Text<ipc::kMaxChunk> data;  ///< Of `save`.
  void fields(auto& f) { f(action, cache, id, data); }
};
struct TlsSessionReply {
  static constexpr uint16_t kType = 153;
  std::optional<ipc::Text<ipc::kMaxChunk>> data;  ///< What was found.
  void fields(auto& f) { f(data); }
};

}  // namespace postrider::proto

// The anvil service: how many connections clients have, and how often they do something. Types 128 to 135.
//
// Counts of connections belong to the process that reported them: when its connection to the service ends, so
// have the clients that it served.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// A client in the eyes of a service: "smtp:192.0.2.1".
using AnvilIdent = ipc::Text<ipc::kMaxName>;

struct AnvilConnect {
  static constexpr uint16_t kType = 128;
  AnvilIdent ident;
  void fields(auto& f) { f(ident); }
};
struct AnvilDisconnect {
  static constexpr uint16_t kType = 129;
  AnvilIdent ident;
  void fields(auto& f) { f(ident); }
};

enum class AnvilEvent : uint8_t { message, recipient, newtls, auth };
inline constexpr size_t kAnvilEvents = 4;

struct AnvilCount {
  static constexpr uint16_t kType = 130;
  AnvilIdent ident;
  AnvilEvent event{};
  bool report_only = false;  ///< The rate is wanted, nothing has happened.
  void fields(auto& f) { f(ident, event, report_only); }
};

/// Answers all of them.
struct AnvilReply {
  static constexpr uint16_t kType = 131;
  uint32_t count = 0;  ///< Simultaneous connections; for AnvilConnect.
  uint32_t rate = 0;   ///< Of the event in anvil_rate_time_unit.
  void fields(auto& f) { f(count, rate); }
};

}  // namespace postrider::proto

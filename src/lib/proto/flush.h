// The flush service: which messages wait for a destination, so that one destination alone can be tried at
// once. Types 120 to 127. The socket also takes one-letter triggers: W (wake up: tend old lists) and P (purge
// all lists).
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// Notes that a message waits for a destination.
struct FlushAdd {
  static constexpr uint16_t kType = 120;
  ipc::Text<ipc::kMaxName> site;  ///< Domain, or "[address]".
  ipc::Text<100> queue_id;
  void fields(auto& f) { f(site, queue_id); }
};

/// Asks for delivery of everything that waits for a destination.
struct FlushSite {
  static constexpr uint16_t kType = 121;
  ipc::Text<ipc::kMaxName> site;
  void fields(auto& f) { f(site); }
};

/// Asks for delivery of one deferred message.
struct FlushMessage {
  static constexpr uint16_t kType = 122;
  ipc::Text<100> queue_id;
  void fields(auto& f) { f(queue_id); }
};

enum class FlushResult : uint8_t {
  ok,
  denied,   ///< fast_flush_domains does not list the destination.
  invalid,  ///< No such thing as a destination, or a queue id.
  failed,   ///< Try again later.
};

/// Answers all of them.
struct FlushReply {
  static constexpr uint16_t kType = 123;
  FlushResult result = FlushResult::failed;
  void fields(auto& f) { f(result); }
};

}  // namespace postrider::proto

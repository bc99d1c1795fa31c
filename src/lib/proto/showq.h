// The queue listing, streamed by the showq service to whoever connects. Types 80 to 87.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

struct QueueRecipient {
  ipc::Text<ipc::kMaxAddress> address, original;
  ipc::Text<ipc::kMaxReason> delay_reason, bounce_reason;
  void fields(auto& f) { f(address, original, delay_reason, bounce_reason); }
};

/// One queue file. A message with very many recipients comes in several entries with the same id; `more` is
/// set on all but the last.
struct QueueEntry {
  static constexpr uint16_t kType = 80;
  ipc::Text<32> queue_name;
  ipc::Text<100> queue_id;
  int64_t arrival_time = 0;  ///< Seconds since 1970.
  int64_t size = 0;
  bool forced_expire = false;
  ipc::Text<ipc::kMaxAddress> sender;
  ipc::Text<ipc::kMaxReason> reason;  ///< Of the whole message, when recipients have none.
  ipc::List<QueueRecipient, 1000> recipients;
  bool more = false;
  void fields(auto& f) {
    f(queue_name, queue_id, arrival_time, size, forced_expire, sender, reason, recipients, more);
  }
};

struct QueueEnd {
  static constexpr uint16_t kType = 81;
  void fields(auto&) {}
};

}  // namespace postrider::proto

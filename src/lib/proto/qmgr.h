// What the queue manager is told. Types 112 to 119. The qmgr socket also takes Postfix's one-letter triggers.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// A message has been committed to the incoming queue. Not answered: the queue on disk is what counts, and a
/// notice that gets lost costs a delay until the next scan.
struct MessageArrived {
  static constexpr uint16_t kType = 112;
  ipc::Text<100> queue_id;
  void fields(auto& f) { f(queue_id); }
};

}  // namespace postrider::proto

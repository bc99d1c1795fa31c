// A message in the active queue, as the queue manager remembers it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/delivery.h"
#include "qmgr/scheduler.h"
#include "queue/envelope.h"

namespace postrider::qmgr {

struct Message {
  std::string id;
  uint64_t sequence = 0;      ///< Order of entering the active queue.
  queue::Envelope envelope;   ///< `recipients` holds only those that have not been assigned yet.
  int64_t active_since = 0;   ///< Microseconds since 1970.
  bool flush = false;         ///< Asked for by the administrator: destinations that are suspended get it too.
  bool forced_expire = false; ///< postsuper -e: to be returned at the next failure.
  bool deferred = false;      ///< Some recipient has to be tried again.
  std::vector<std::unique_ptr<Job>> jobs;  ///< One for each transport with work; empty: the batch is done.

  bool finishing = false;     ///< All of the batch is done; what comes then is under way.

  bool batch_done() const { return jobs.empty(); }
};

/// trace_flags of a queue file as flags of a delivery request.
uint32_t delivery_flags(int trace_flags);

/// What an agent gets for an entry.
proto::DeliverRequest make_request(const Message& message, const Entry& entry);

}  // namespace postrider::qmgr

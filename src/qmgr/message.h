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
  uint64_t sequence = 0;       ///< Order of entering the active queue.
  queue::Envelope envelope;    ///< `recipients` holds only those that have not been assigned yet.
  uint32_t flags = 0;          ///< proto::DeliveryFlag
  int64_t active_since = 0;    ///< Microseconds since 1970.
  Clock::time_point entered;   ///< The same on the clock of the scheduler.
  bool flush = false;          ///< Asked for by the administrator: defer_transports does not hold it back.
  bool insist = false;         ///< This message was asked for: destinations that are suspended get it, too.
  bool forced_expire = false;  ///< postsuper -e: to be returned instead of delivered.
  bool deferred = false;       ///< Some recipient has to be tried again.
  std::vector<std::unique_ptr<Job>> jobs;  ///< One for each transport with work.

  bool reading = false;         ///< Recipients are being read and routed.
  bool finishing = false;       ///< All recipients in memory are done; what comes then is under way.
  Clock::time_point last_read;  ///< When recipients were read last.

  bool has_unread() const { return envelope.resume != 0; }
  /// Nothing is being delivered, and nothing waits for it.
  bool batch_done() const { return jobs.empty() && !reading; }
};

/// trace_flags of a queue file as flags of a delivery request.
uint32_t delivery_flags(int trace_flags);

/// What an agent gets for an entry.
proto::DeliverRequest make_request(const Message& message, const Entry& entry);

}  // namespace postrider::qmgr

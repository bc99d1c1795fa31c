// Small jobs passing large ones (SCHEDULER_README describes the idea).
//
// A job whose entries are selected gathers slots, one for each delivery_slot_cost entries. Another job may go
// before it when those slots, and what discount and loan advance, pay for all of its entries; so a large job
// is slowed down by a bounded factor, and a small one does not wait for thousands of deliveries of a mailing
// list.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/deadline.h"

namespace postrider::qmgr {

struct Message;
struct Destination;
struct Transport;

/// The order of jobs: that of their messages, but for jobs that go before another one: they get its sequence
/// and a place below its place.
struct Rank {
  static constexpr uint64_t kOwnPlace = UINT64_MAX;
  uint64_t sequence = 0;
  uint64_t place = kOwnPlace;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

struct PreemptionRules {
  int slot_cost = 5;       ///< delivery_slot_cost; 0: jobs do not pass each other.
  int slot_loan = 3;       ///< delivery_slot_loan
  int slot_discount = 50;  ///< delivery_slot_discount, percent
  int minimum_slots = 3;   ///< minimum_delivery_slots: a job that gathers fewer altogether is not passed.
};

/// How many recipients are in memory.
struct RecipientRules {
  size_t limit = 20000;       ///< recipient_limit, of the transport.
  size_t extra_limit = 1000;  ///< extra_recipient_limit: beyond it, for jobs that pass others.
  size_t refill_limit = 100;  ///< recipient_refill_limit: fewer are not read at once,
  seconds refill_delay{5};    ///< recipient_refill_delay: but after this time.
};

/// The part of a message that goes through one transport.
struct Job {
  Job(Message& m, Transport& t, Rank r) : message(&m), transport(&t), rank(r) {}
  Message* message;
  Transport* transport;
  Rank rank;
  size_t waiting = 0;            ///< Entries that no agent has yet.
  size_t busy = 0;               ///< Entries that agents have.
  std::set<Destination*> peers;  ///< Destinations that entries wait for.
  bool passed_another = false;

  // Slots as entries: delivery_slot_cost of them make one slot.
  int64_t gathered = 0;

  // Where Candidates keeps it.
  size_t listed_size = 0;                // 0: not listed.
  std::vector<Destination*> blocked_by;  // In whose `blocked` it is.

  /// How many deliveries it may need at most.
  size_t size() const;
};

struct JobOrder {
  bool operator()(const Job* a, const Job* b) const;
};

/// The jobs of a transport that may pass another one, by size and age. A job that is found to have no
/// destination with room is set aside until one of them has.
class Candidates {
 public:
  /// Its size has changed, or it has become able to be delivered.
  void update(Job& job);
  void remove(Job& job);
  /// The destination has room again: some of the jobs that waited for it are candidates once more.
  void unblock(Destination& destination);

  /// The job of at most `limit` entries with the highest ratio of age to size; none: nullptr. `current`
  /// itself is none.
  Job* best(const Job& current, size_t limit, Clock::time_point now);

 private:
  void block(Job& job);
  std::map<size_t, std::set<Job*, JobOrder>> by_size_;
};

}  // namespace postrider::qmgr

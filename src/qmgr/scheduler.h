// Which recipients are delivered next. Pure bookkeeping: no I/O, no time but what it is told.
//
// A message in the active queue has one Job for each transport that it needs. A job holds Entries: up to
// destination_recipient_limit recipients that go to one Destination in one delivery. Jobs of a transport are
// served in the order of their rank; within a job its destinations take turns; a destination gets at most as
// many deliveries at a time as its window is wide. A job with few entries may pass one with many
// (preemption.h).
//
// Every choice costs O(log n), however many messages wait: a transport keeps its usable destinations sorted
// by the job that is first in each, so that a backlog for a slow destination costs the others nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/deadline.h"
#include "base/text.h"
#include "proto/delivery.h"
#include "qmgr/feedback.h"
#include "qmgr/preemption.h"

namespace postrider::qmgr {

struct Message;

/// What one delivery request carries.
struct Entry {
  Job* job = nullptr;
  Destination* destination = nullptr;
  std::vector<proto::DeliveryRecipient> recipients;
  uint32_t flags = 0;  ///< proto::DeliveryFlag, from the destination's state.
};

/// The rules of a transport, from its <transport>_... parameters.
struct TransportRules {
  ConcurrencyRules concurrency;
  int recipient_limit = 50;      ///< destination_recipient_limit: recipients in one delivery; 0: no limit.
  seconds destination_delay{0};  ///< destination_rate_delay: pause between deliveries to one destination.
  seconds transport_delay{0};    ///< transport_rate_delay: the same for all destinations together.
  PreemptionRules preemption;
  RecipientRules recipients;
};

/// A place that a transport delivers to: a nexthop, or one mailbox when the recipient limit is 1.
struct Destination {
  Destination(Transport& t, std::string n, std::string hop, const ConcurrencyRules& rules)
      : transport(&t), name(std::move(n)), nexthop(std::move(hop)), window(rules) {}
  Transport* transport;
  std::string name;     ///< The nexthop, or "user@nexthop" in lower case.
  std::string nexthop;  ///< What the agent is told.
  Window window;
  int busy = 0;                                             ///< Deliveries under way.
  size_t entries = 0;                                       ///< Entries that no agent has yet.
  Clock::time_point not_before = Clock::time_point::min();  ///< Rate delay, or death, until then.
  Clock::time_point last_done = Clock::time_point::min();   ///< When the last delivery ended.
  Clock::time_point clog_warned = Clock::time_point::min();
  std::string dead_status, dead_reason;  ///< Why it is dead.

  /// Entries that no agent has yet, by the rank of their job. No list is empty.
  std::map<Rank, std::deque<Entry>> waiting;
  uint64_t last_turn = 0;  ///< When it was last served, for taking turns.

  bool has_room() const { return !window.dead() && busy < window.size(); }

  // Where the scheduler keeps it; nobody else's business.
  enum class Listed : unsigned char { no, ready, timed } listed = Listed::no;
  struct ReadyKey {
    Rank rank;
    uint64_t turn;
    Destination* destination;
    friend auto operator<=>(const ReadyKey&, const ReadyKey&) = default;
  } ready_key{};
  Clock::time_point timed_key;
  // Deliveries have followed each other closely: agents keep their connections.
  bool keeps_connections = false;
  std::set<Job*, JobOrder> blocked;  // Jobs that were found to wait for it, and may do so no more.
};

struct Transport {
  Transport(std::string n, TransportRules r) : name(std::move(n)), rules(std::move(r)) {}
  std::string name;
  TransportRules rules;
  std::unordered_map<std::string, std::unique_ptr<Destination>, TextHash, std::equal_to<>> destinations;
  size_t waiting = 0;  ///< Entries of all destinations that no agent has yet.
  size_t busy = 0;
  size_t recipients = 0;                                    ///< In memory.
  Clock::time_point not_before = Clock::time_point::min();  ///< transport_rate_delay
  std::map<Rank, Job*> jobs;

  bool has_turn(Clock::time_point now) const {
    return now >= not_before && (rules.transport_delay.count() == 0 || busy == 0);
  }

  // The scheduler's lists.
  std::set<Destination::ReadyKey> ready;
  std::set<std::pair<Clock::time_point, Destination*>> timed;
  Candidates candidates;
};

class Scheduler {
 public:
  /// The transport of this name; `rules` is asked when it is new.
  Transport& transport(std::string_view name, const std::function<TransportRules()>& rules);
  Transport* find_transport(std::string_view name);
  Destination& destination(Transport& transport, std::string_view name, std::string_view nexthop);

  /// Adds a recipient of a message; the job and the entry are made or extended.
  void add(Message& message, Destination& destination, proto::DeliveryRecipient recipient);

  /// The next entry of this transport that may be delivered at `now`; its destination's concurrency is taken.
  /// Nothing when none may.
  std::optional<Entry> next(Transport& transport, Clock::time_point now);
  /// Whether next() would return an entry.
  bool ready(Transport& transport, Clock::time_point now);
  /// The earliest moment at which next() may have more because of time alone.
  std::optional<Clock::time_point> wake_time(const Transport& transport) const;

  /// What an entry's delivery says about its destination.
  enum class Outcome : unsigned char {
    reached,       ///< The destination answered.
    site_failed,   ///< It did not.
    agent_failed,  ///< The delivery agent died: nothing is known of the destination.
  };
  /// Gives the concurrency back. Returns whether the destination has died by this.
  bool finish(const Entry& entry, Outcome outcome, Clock::time_point now);
  /// Takes a destination out of service until revive(), whatever its window says.
  void suspend(Destination& destination, std::string status, std::string reason);
  void revive(Destination& destination);

  /// Removes and returns all waiting entries of a destination. Their jobs stay until drop() is called for
  /// each.
  std::vector<Entry> take_waiting(Destination& destination);
  /// Drops an entry that take_waiting() returned and that will not be delivered; for next()'s entries
  /// finish() does it.
  void drop(const Entry& entry);

  /// What was learned of a destination counts for as long as there is mail for it; that of a dead one until
  /// it is revived.
  static void start_anew_if_idle(Destination& destination);
  /// Forgets destinations without work whose state is what a new one would have.
  void forget_idle(Clock::time_point now);

  auto& transports() { return transports_; }
  /// In memory.
  size_t recipients() const { return recipients_; }

 private:
  Job& job(Message& message, Transport& transport);
  void relist(Destination& destination, Clock::time_point now);
  void relist_timed(Transport& transport, Clock::time_point now);
  void unlist(Destination& destination);
  Entry take_first(Destination& destination);
  void preempt(Transport& transport, Clock::time_point now);
  bool move_before(Job& job, const Job& other);
  void end_entry(const Entry& entry);
  std::unordered_map<std::string, std::unique_ptr<Transport>, TextHash, std::equal_to<>> transports_;
  uint64_t turns_ = 0;
  size_t recipients_ = 0;
};

}  // namespace postrider::qmgr

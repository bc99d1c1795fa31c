#include "qmgr/scheduler.h"

#include <algorithm>
#include <iterator>

#include "qmgr/message.h"

namespace postrider::qmgr {

namespace {
// Deliveries to one destination within this time follow each other closely enough for a connection to be
// kept.
constexpr seconds kCloseDeliveries(1);
// The algorithm needs the slots of a job to be fewer than its entries.
constexpr int64_t kMinSlotCost = 2;
}  // namespace

Transport& Scheduler::transport(std::string_view name, const std::function<TransportRules()>& rules) {
  auto it = transports_.find(name);
  if (it == transports_.end()) {
    it = transports_.emplace(name, std::make_unique<Transport>(std::string(name), rules())).first;
  }
  return *it->second;
}

Transport* Scheduler::find_transport(std::string_view name) {
  auto it = transports_.find(name);
  return it == transports_.end() ? nullptr : it->second.get();
}

Destination& Scheduler::destination(Transport& transport, std::string_view name, std::string_view nexthop) {
  auto it = transport.destinations.find(name);
  if (it == transport.destinations.end()) {
    auto made = std::make_unique<Destination>(transport, std::string(name), std::string(nexthop),
                                              transport.rules.concurrency);
    it = transport.destinations.emplace(name, std::move(made)).first;
  }
  return *it->second;
}

Job& Scheduler::job(Message& message, Transport& transport) {
  for (const std::unique_ptr<Job>& job : message.jobs) {
    if (job->transport == &transport) return *job;
  }
  message.jobs.push_back(std::make_unique<Job>(message, transport, Rank{message.sequence}));
  Job& made = *message.jobs.back();
  transport.jobs.emplace(made.rank, &made);
  return made;
}

void Scheduler::add(Message& message, Destination& destination, proto::DeliveryRecipient recipient) {
  Transport& transport = *destination.transport;
  Job& j = job(message, transport);
  size_t limit = proto::kMaxRecipientsPerDelivery;
  if (int configured = transport.rules.recipient_limit; configured > 0) {
    limit = std::min(limit, static_cast<size_t>(configured));
  }
  // With VERP each recipient has a sender address of its own.
  if (!message.envelope.verp.empty()) limit = 1;
  ++recipients_;
  ++transport.recipients;
  std::deque<Entry>& entries = destination.waiting[j.rank];
  if (entries.empty() || entries.back().recipients.size() >= limit) {
    entries.push_back(Entry{&j, &destination, {}});
    ++j.waiting;
    ++transport.waiting;
    ++destination.entries;
    j.peers.insert(&destination);
    if (entries.size() == 1) relist(destination, Clock::time_point::max());
    transport.candidates.update(j);
  }
  entries.back().recipients.push_back(std::move(recipient));
}

void Scheduler::unlist(Destination& d) {
  if (d.listed == Destination::Listed::ready) d.transport->ready.erase(d.ready_key);
  if (d.listed == Destination::Listed::timed) d.transport->timed.erase({d.timed_key, &d});
  d.listed = Destination::Listed::no;
}

/// Puts the destination where its state says: among those that can be served, those that time will bring
/// back, or nowhere. With `now` unknown (max), a time limit is left to next() to notice.
void Scheduler::relist(Destination& d, Clock::time_point now) {
  unlist(d);
  if (d.waiting.empty() || !d.has_room()) return;
  if (d.not_before > now || (now == Clock::time_point::max() && d.not_before != Clock::time_point::min())) {
    d.timed_key = d.not_before;
    d.transport->timed.emplace(d.timed_key, &d);
    d.listed = Destination::Listed::timed;
  } else {
    d.ready_key = {d.waiting.begin()->first, d.last_turn, &d};
    d.transport->ready.insert(d.ready_key);
    d.listed = Destination::Listed::ready;
    d.transport->candidates.unblock(d);
  }
}

void Scheduler::relist_timed(Transport& transport, Clock::time_point now) {
  while (!transport.timed.empty() && transport.timed.begin()->first <= now) {
    relist(*transport.timed.begin()->second, now);
  }
}

bool Scheduler::ready(Transport& transport, Clock::time_point now) {
  relist_timed(transport, now);
  return transport.has_turn(now) && !transport.ready.empty();
}

Entry Scheduler::take_first(Destination& d) {
  auto first = d.waiting.begin();
  Entry entry = std::move(first->second.front());
  first->second.pop_front();
  Job& job = *entry.job;
  if (first->second.empty()) {
    d.waiting.erase(first);
    job.peers.erase(&d);
  }
  --d.entries;
  --d.transport->waiting;
  --job.waiting;
  ++job.busy;
  return entry;
}

std::optional<Entry> Scheduler::next(Transport& transport, Clock::time_point now) {
  if (!ready(transport, now)) return std::nullopt;
  preempt(transport, now);
  Destination& d = *transport.ready.begin()->destination;
  Entry entry = take_first(d);
  ++entry.job->gathered;
  ++transport.busy;
  ++d.busy;
  d.last_turn = ++turns_;
  relist(d, now);
  transport.candidates.update(*entry.job);
  // An agent may take a kept connection as long as there may be one, and keep its own while it is worth
  // while.
  bool close = now < d.last_done + kCloseDeliveries && d.last_done != Clock::time_point::min();
  bool kept = d.keeps_connections;
  d.keeps_connections = close || (kept && d.busy > 1);
  if (kept || d.keeps_connections) entry.flags |= proto::kDeliverConnectionLoad;
  if (d.keeps_connections) entry.flags |= proto::kDeliverConnectionStore;
  return entry;
}

/// Lets a small job go before the one whose turn it is, when that has gathered the slots for it.
void Scheduler::preempt(Transport& transport, Clock::time_point now) {
  const PreemptionRules& rules = transport.rules.preemption;
  if (rules.slot_cost <= 0) return;
  int64_t cost = std::max<int64_t>(rules.slot_cost, kMinSlotCost);
  Job& current = *transport.ready.begin()->destination->waiting.begin()->second.front().job;
  int64_t most = (current.gathered + static_cast<int64_t>(current.waiting)) / cost;
  if (most < std::max(rules.minimum_slots, 1)) return;
  Job* small = transport.candidates.best(current, static_cast<size_t>(most), now);
  if (small == nullptr) return;
  auto needed = static_cast<int64_t>(small->size());
  if (current.gathered / cost + rules.slot_loan < needed * (100 - rules.slot_discount) / 100) return;
  if (move_before(*small, current)) current.gathered -= needed * cost;
}

bool Scheduler::move_before(Job& job, const Job& other) {
  Transport& transport = *job.transport;
  if (job.rank < other.rank) return false;
  auto at = transport.jobs.find(other.rank);
  uint64_t below = 0;
  if (at != transport.jobs.begin()) {
    const Rank& before = std::prev(at)->first;
    if (before.sequence == other.rank.sequence) below = before.place;
  }
  uint64_t place = below + (other.rank.place - below) / 2;
  // So many jobs went before this one that there is no place left; it keeps its turn until they are through.
  if (place == below) return false;
  Rank rank{other.rank.sequence, place};
  for (Destination* destination : job.peers) {
    auto entries = destination->waiting.extract(job.rank);
    entries.key() = rank;
    destination->waiting.insert(std::move(entries));
    // A destination's time limits are none of this: where it is listed, it stays listed.
    if (destination->listed == Destination::Listed::ready) relist(*destination, destination->not_before);
  }
  auto node = transport.jobs.extract(job.rank);
  node.key() = rank;
  transport.jobs.insert(std::move(node));
  job.rank = rank;
  job.passed_another = true;
  return true;
}

std::optional<Clock::time_point> Scheduler::wake_time(const Transport& transport) const {
  // With a delay between all deliveries of the transport, the end of the one under way comes first.
  if (transport.rules.transport_delay.count() > 0 && transport.busy > 0) return std::nullopt;
  if (!transport.ready.empty()) return transport.not_before;
  if (transport.timed.empty()) return std::nullopt;
  return std::max(transport.not_before, transport.timed.begin()->first);
}

bool Scheduler::finish(const Entry& entry, Outcome outcome, Clock::time_point now) {
  Destination& d = *entry.destination;
  Transport& transport = *d.transport;
  --d.busy;
  --transport.busy;
  d.last_done = now;
  bool was_dead = d.window.dead();
  if (outcome == Outcome::reached) d.window.succeed(d.busy);
  if (outcome == Outcome::site_failed) d.window.fail();
  if (transport.rules.destination_delay.count() > 0) d.not_before = now + transport.rules.destination_delay;
  if (transport.rules.transport_delay.count() > 0)
    transport.not_before = now + transport.rules.transport_delay;
  relist(d, now);
  bool died = d.window.dead() && !was_dead;
  end_entry(entry);
  return died;
}

void Scheduler::suspend(Destination& d, std::string status, std::string reason) {
  d.window.kill();
  d.dead_status = std::move(status);
  d.dead_reason = std::move(reason);
  unlist(d);
}

void Scheduler::revive(Destination& d) {
  d.window.revive();
  d.dead_status.clear();
  d.dead_reason.clear();
  d.not_before = Clock::time_point::min();
  relist(d, Clock::time_point::max());
}

std::vector<Entry> Scheduler::take_waiting(Destination& d) {
  std::vector<Entry> out;
  unlist(d);
  while (!d.waiting.empty()) {
    out.push_back(take_first(d));
    d.transport->candidates.update(*out.back().job);
  }
  return out;
}

void Scheduler::drop(const Entry& entry) {
  end_entry(entry);
}

void Scheduler::end_entry(const Entry& entry) {
  Job& job = *entry.job;
  --job.busy;
  recipients_ -= entry.recipients.size();
  job.transport->recipients -= entry.recipients.size();
  if (job.waiting > 0 || job.busy > 0) return;
  job.transport->candidates.remove(job);
  job.transport->jobs.erase(job.rank);
  std::erase_if(job.message->jobs, [&](const std::unique_ptr<Job>& owned) { return owned.get() == &job; });
}

void Scheduler::start_anew_if_idle(Destination& d) {
  if (d.busy == 0 && d.waiting.empty() && !d.window.dead()) d.window.revive();
}

void Scheduler::forget_idle(Clock::time_point now) {
  for (auto& [name, transport] : transports_) {
    std::erase_if(transport->destinations, [&](const auto& item) {
      const Destination& d = *item.second;
      return d.waiting.empty() && d.busy == 0 && d.blocked.empty() && now >= d.not_before;
    });
  }
}

}  // namespace postrider::qmgr

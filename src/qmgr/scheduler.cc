#include "qmgr/scheduler.h"

#include <algorithm>

#include "qmgr/message.h"

namespace postrider::qmgr {

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
  message.jobs.push_back(std::make_unique<Job>(message, transport, Rank{0, message.sequence}));
  return *message.jobs.back();
}

void Scheduler::add(Message& message, Destination& destination, proto::DeliveryRecipient recipient) {
  Transport& transport = *destination.transport;
  Job& j = job(message, transport);
  size_t limit = proto::kMaxRecipientsPerDelivery;
  if (int configured = transport.rules.recipient_limit; configured > 0) {
    limit = std::min(limit, static_cast<size_t>(configured));
  }
  std::deque<Entry>& entries = destination.waiting[j.rank];
  if (entries.empty() || entries.back().recipients.size() >= limit) {
    entries.push_back(Entry{&j, &destination, {}});
    ++j.waiting;
    ++transport.waiting;
    if (entries.size() == 1) relist(destination, Clock::time_point::max());
  }
  entries.back().recipients.push_back(std::move(recipient));
}

void Scheduler::unlist(Destination& d) {
  if (d.listed == Destination::Listed::ready) d.transport->ready.erase(d.ready_key);
  if (d.listed == Destination::Listed::timed) d.transport->timed.erase({d.timed_key, &d});
  d.listed = Destination::Listed::no;
}

/// Puts the destination where its state says: among those that can be served, those that time will bring back, or
/// nowhere. With `now` unknown (max), a time limit is left to next() to notice.
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
  }
}

void Scheduler::relist_timed(Transport& transport, Clock::time_point now) {
  while (!transport.timed.empty() && transport.timed.begin()->first <= now) {
    relist(*transport.timed.begin()->second, now);
  }
}

bool Scheduler::ready(Transport& transport, Clock::time_point now) {
  relist_timed(transport, now);
  return now >= transport.not_before && !transport.ready.empty();
}

std::optional<Entry> Scheduler::next(Transport& transport, Clock::time_point now) {
  if (!ready(transport, now)) return std::nullopt;
  Destination& d = *transport.ready.begin()->destination;
  auto first = d.waiting.begin();
  Entry entry = std::move(first->second.front());
  first->second.pop_front();
  if (first->second.empty()) d.waiting.erase(first);
  --entry.job->waiting;
  ++entry.job->busy;
  --transport.waiting;
  ++transport.busy;
  ++d.busy;
  d.last_turn = ++turns_;
  relist(d, now);
  if (transport.rules.transport_delay.count() > 0) transport.not_before = now + transport.rules.transport_delay;
  return entry;
}

std::optional<Clock::time_point> Scheduler::wake_time(const Transport& transport) const {
  if (!transport.ready.empty()) return transport.not_before;
  if (transport.timed.empty()) return std::nullopt;
  return std::max(transport.not_before, transport.timed.begin()->first);
}

bool Scheduler::finish(const Entry& entry, Outcome outcome, Clock::time_point now) {
  Destination& d = *entry.destination;
  --d.busy;
  --d.transport->busy;
  bool was_dead = d.window.dead();
  if (outcome == Outcome::reached) d.window.succeed(d.busy);
  if (outcome == Outcome::site_failed) d.window.fail();
  if (d.transport->rules.destination_delay.count() > 0) d.not_before = now + d.transport->rules.destination_delay;
  relist(d, now);
  --entry.job->busy;
  remove_if_done(*entry.job);
  return d.window.dead() && !was_dead;
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
  relist(d, Clock::time_point::max());
}

std::vector<Entry> Scheduler::take_waiting(Destination& d) {
  std::vector<Entry> out;
  for (auto& [rank, entries] : d.waiting) {
    for (Entry& entry : entries) {
      --entry.job->waiting;
      ++entry.job->busy;
      --d.transport->waiting;
      out.push_back(std::move(entry));
    }
  }
  d.waiting.clear();
  unlist(d);
  return out;
}

void Scheduler::drop(const Entry& entry) {
  --entry.job->busy;
  remove_if_done(*entry.job);
}

void Scheduler::remove_if_done(Job& job) {
  if (job.waiting > 0 || job.busy > 0) return;
  std::erase_if(job.message->jobs, [&](const std::unique_ptr<Job>& owned) { return owned.get() == &job; });
}

void Scheduler::forget_idle(Clock::time_point now) {
  for (auto& [name, transport] : transports_) {
    std::erase_if(transport->destinations, [&](const auto& item) {
      const Destination& d = *item.second;
      return d.waiting.empty() && d.busy == 0 && !d.window.dead() && now >= d.not_before;
    });
  }
}

}  // namespace postrider::qmgr

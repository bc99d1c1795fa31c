#include "qmgr/active_queue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "io/fiber.h"
#include "io/offload.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "queue/delivery_log.h"
#include "queue/envelope.h"

namespace postrider::qmgr {

using queue::QueueName;

namespace {

/// Addresses resolved at the same time for one message.
constexpr size_t kResolvers = 16;
/// New mail alone may fill the last part of the active queue.
constexpr size_t kReservedShare = 5;
constexpr seconds kHousekeeping(60);
constexpr milliseconds kDrainStep(10);

proto::DeliveryRecipient to_request(queue::Recipient&& recipient) {
  proto::DeliveryRecipient out;
  out.offset = static_cast<int64_t>(recipient.offset);
  out.address = std::move(recipient.address);
  out.original = std::move(recipient.original);
  out.dsn_orcpt = std::move(recipient.dsn_original);
  out.dsn_notify = static_cast<uint32_t>(recipient.notify);
  return out;
}

/// Recipients of one destination stand side by side, and within it those of one domain: fewer transactions,
/// and mail for a domain behind a common relay is handed over together.
bool address_before(const std::string& a, const std::string& b) {
  auto key = [](const std::string& address) {
    size_t at = std::min(address.rfind('@'), address.size());
    return std::pair(lowercase(std::string_view(address).substr(at)), address);
  };
  return key(a) < key(b);
}
bool before(const std::pair<Route, proto::DeliveryRecipient>& a,
            const std::pair<Route, proto::DeliveryRecipient>& b) {
  if (a.first.transport != b.first.transport) return a.first.transport < b.first.transport;
  if (a.first.nexthop != b.first.nexthop) return a.first.nexthop < b.first.nexthop;
  return address_before(a.first.recipient, b.first.recipient);
}

}  // namespace

ActiveQueue::ActiveQueue(const Settings& settings, const queue::Store& store)
    : settings_(settings),
      store_(store),
      dispatcher_(settings.config, scheduler_,
                  {.request = [](const Entry& entry) { return make_request(*entry.job->message, entry); },
                   .done = [this](Entry entry, auto reply) { on_done(std::move(entry), std::move(reply)); },
                   .unavailable = [this](Transport& transport, const Error&) { on_unavailable(transport); }}),
      router_(settings, "qmgr"),
      reporter_(settings.config, "qmgr"),
      completion_(settings, store, reporter_),
      housekeeping_([this] {
        scheduler_.forget_idle(Clock::now());
        housekeeping_.start(kHousekeeping);
      }) {
  housekeeping_.start(kHousekeeping);
}

bool ActiveQueue::has_room(QueueName from) const {
  if (draining_) return false;
  size_t limit = settings_.message_active_limit;
  if (from == QueueName::deferred) limit = std::max<size_t>(1, limit - limit / kReservedShare);
  return messages_.size() + entering_ < limit;
}

void ActiveQueue::drain(Deadline deadline) {
  draining_ = true;
  dispatcher_.stop();
  auto busy = [this] {
    size_t count = entering_ + finishing_;
    for (auto& [name, transport] : scheduler_.transports())
      count += transport->busy;
    return count > 0;
  };
  while (busy() && !deadline.passed())
    io::sleep_for(kDrainStep);
}

void ActiveQueue::forget(const std::string& id) {
  auto it = messages_.find(id);
  if (it == messages_.end()) return;
  if ((it->second->flags & proto::kDeliverUpdateVerify) != 0) --probes_;
  unread_.erase(it->second->sequence);
  messages_.erase(it);
  if (on_room_) on_room_();
}

// --- entering ---

void ActiveQueue::admit(const std::string& id, QueueName from, bool flush) {
  if (contains(id)) return;
  ++entering_;
  struct Leave {
    ActiveQueue* queue;
    ~Leave() {
      --queue->entering_;
      if (queue->on_room_) queue->on_room_();
    }
  } leave{this};
  // Messages that were just queued are in memory; reading old ones may take the disk's time.
  auto move = [this, id, from] { return store_.move(id, from, QueueName::active); };
  auto moved = from == QueueName::incoming ? move() : io::offload(move, Deadline::never());
  if (!moved) {
    // Somebody else was faster: the administrator, or another notice of the same message.
    if (!queue::is_missing(moved.error())) log::warning("{}: {}", id, moved.error().text);
    return;
  }
  auto message = read(id, from, flush);
  if (!message) return completion_.put_aside(id, message.error());
  Message& m = **message;
  messages_.emplace(id, *message);
  if ((m.flags & proto::kDeliverUpdateVerify) != 0) ++probes_;
  // Of the content that mail filters have left.
  const queue::SizeRecord& sizes = m.envelope.size;
  const int64_t size = sizes.content_length > 0 ? sizes.content_length : sizes.size;
  log::write(log::Severity::info,
             fmt::format("{}: from=<{}>, size={}, nrcpt={} (queue active)", id,
                         mail::log_address(m.envelope.sender, settings_.log_form), size, sizes.recipients),
             "active", {{"queue_id", id}, {"from", m.envelope.sender}, {"size", size}});
  schedule_batch(*message);
}

size_t ActiveQueue::first_batch() const {
  size_t in_memory = std::min(scheduler_.recipients(), settings_.message_recipient_limit);
  return std::max(settings_.message_recipient_minimum, settings_.message_recipient_limit - in_memory);
}

Result<std::shared_ptr<Message>> ActiveQueue::read(const std::string& id, QueueName from, bool flush) {
  auto message = std::make_shared<Message>();
  message->id = id;
  message->flush = flush;
  // The fiber waits for the end of this, whatever comes; so what it refers to lives on.
  auto work = [this, &message = *message, count = first_batch()]() -> Result<void> {
    auto file = TRY(store_.open(QueueName::active, message.id, queue::OpenMode::read));
    // Agents hold a shared lock while they deliver: one that a former queue manager gave work to may still be
    // at it.
    TRY(file->lock_exclusive(/*wait=*/false));
    message.envelope = TRY(queue::read_envelope(*file, count));
    return prepare(message, *file);
  };
  if (auto done = from == QueueName::incoming ? work() : io::offload(work, Deadline::never()); !done) {
    return std::unexpected(std::move(done).error());
  }
  check_verp(*message);
  message->sequence = ++sequence_;
  message->active_since = delivery::now_microseconds();
  message->entered = message->last_read = Clock::now();
  return message;
}

Result<void> ActiveQueue::prepare(Message& message, queue::File& file) {
  queue::FileStatus status = TRY(file.status());
  message.forced_expire = queue::is_expired(status);
  if (queue::is_flushed(status)) {
    message.flush = message.insist = true;
    TRY(file.set_mode(status.mode & ~queue::kFlushMode));
  }
  const queue::Envelope& e = message.envelope;
  message.flags = delivery_flags(e.trace_flags);
  if (settings_.confirm_delay_cleared && e.warn_offset > 0 && e.warn_time <= 0) {
    message.flags |= proto::kDeliverDelaySent;
  }
  if (message.forced_expire && TRY(has_reasons(message))) {
    // Nothing is tried any more: it is returned with the reasons of the last attempt.
    message.deferred = true;
    message.envelope.recipients.clear();
    message.envelope.resume = 0;
    return {};
  }
  // Recipients that fail again are recorded again; what the log of the last round says about the others is
  // past.
  auto removed = store_.remove(QueueName::defer, message.id);
  if (!removed && !queue::is_missing(removed.error())) return removed;
  return {};
}

/// Whether the log of the last attempt has an entry for each recipient that is open.
Result<bool> ActiveQueue::has_reasons(const Message& message) {
  if (message.has_unread()) return false;
  auto file = store_.open(QueueName::defer, message.id, queue::OpenMode::read);
  if (!file) {
    if (queue::is_missing(file.error())) return false;
    return std::unexpected(std::move(file).error());
  }
  queue::LogReader reader(**file, queue::LogKind::defer);
  std::vector<uint64_t> offsets;
  for (;;) {
    auto entry = TRY(reader.next());
    if (!entry) break;
    offsets.push_back(entry->offset);
  }
  std::sort(offsets.begin(), offsets.end());
  // A redirected message is tried for one of its recipients.
  if (!message.envelope.redirect.empty()) return !offsets.empty();
  return std::all_of(message.envelope.recipients.begin(), message.envelope.recipients.end(),
                     [&](const queue::Recipient& r) {
                       return std::binary_search(offsets.begin(), offsets.end(), r.offset);
                     });
}

void ActiveQueue::check_verp(Message& message) const {
  queue::Envelope& e = message.envelope;
  if (e.verp.empty()) return;
  bool usable = e.verp.size() == 2 && std::all_of(e.verp.begin(), e.verp.end(), [this](char c) {
                  return settings_.verp_characters.find(c) != std::string::npos;
                });
  if (e.sender.empty()) {
    log::warning("{}: ignoring VERP request for null sender", message.id);
  } else if (!usable) {
    log::warning("{}: ignoring bad VERP request: \"{}\"", message.id, e.verp.substr(0, 100));
  } else {
    return;
  }
  e.verp.clear();
}

// --- from recipients to entries ---

void ActiveQueue::apply_redirect(Message& message) {
  queue::Envelope& e = message.envelope;
  if (e.redirect.empty() || e.recipients.empty()) return;
  // One delivery to the new address stands for all recipients. The first one's original address goes with it.
  auto first = std::min_element(e.recipients.begin(), e.recipients.end(),
                                [](const queue::Recipient& a, const queue::Recipient& b) {
                                  return address_before(a.address, b.address);
                                });
  std::swap(e.recipients.front(), *first);
  e.recipients.resize(1);
  e.recipients[0].address = router_.standard_form(e.redirect);
  e.resume = 0;
  e.unread = 0;
}

void ActiveQueue::route_all(Message& message, std::vector<std::pair<Route, proto::DeliveryRecipient>>& out) {
  std::vector<queue::Recipient> recipients = std::exchange(message.envelope.recipients, {});
  out.resize(recipients.size());
  bool refused = (message.flags & proto::kDeliverUpdateVerify) != 0 && probes_ > settings_.probe_limit;
  auto route = [&](size_t i) {
    const std::string& address = recipients[i].address;
    out[i].first = message.forced_expire
                       ? router_.to_retry(address, "4.7.0", "message is administratively expired")
                   : refused ? router_.to_retry(address, "4.3.2", "Too many address verification requests")
                             : router_.route(message, address);
    out[i].second = to_request(std::move(recipients[i]));
  };
  if (recipients.size() == 1) return route(0);
  io::TaskGroup resolvers;
  size_t next = 0;
  for (size_t i = 0; i < std::min(kResolvers, recipients.size()); ++i) {
    resolvers.spawn([&] {
      while (next < recipients.size())
        route(next++);
    });
  }
  resolvers.wait(Deadline::never());
  std::stable_sort(out.begin(), out.end(), before);
}

void ActiveQueue::schedule_batch(const std::shared_ptr<Message>& kept) {
  Message& message = *kept;
  message.reading = true;
  apply_redirect(message);
  std::vector<std::pair<Route, proto::DeliveryRecipient>> routed;
  route_all(message, routed);
  for (auto& [route, recipient] : routed) {
    if (route.discard) {
      discard(message, recipient, "undeliverable postmaster notification discarded");
    } else {
      place(message, route, std::move(recipient));
    }
  }
  message.reading = false;
  if (message.has_unread()) {
    unread_.emplace(message.sequence, kept);
  } else {
    unread_.erase(message.sequence);
  }
  if (message.batch_done()) return batch_progress(message);
  std::vector<Transport*> transports;
  for (const auto& job : message.jobs) {
    job->transport->candidates.update(*job);  // How many are unread has changed.
    transports.push_back(job->transport);
  }
  for (Transport* transport : transports)
    dispatcher_.kick(*transport);
}

void ActiveQueue::discard(Message& message, const proto::DeliveryRecipient& recipient, std::string reason) {
  auto file = store_.open(QueueName::active, message.id, queue::OpenMode::read_write);
  delivery::MessageRef ref{.queue_id = message.id,
                           .flags = message.flags,
                           .times = {message.envelope.arrival_seconds * 1'000'000, message.active_since, 0},
                           .file = file ? file->get() : nullptr};
  mail::DeliveryStatus status{
      .status = "2.0.0", .action = mail::Action::delivered, .reason = std::move(reason)};
  if (reporter_.sent(ref, recipient, status, {}) == delivery::Disposition::deferred) message.deferred = true;
}

std::string ActiveQueue::destination_name(const Transport& transport, const Route& route) const {
  if (transport.rules.recipient_limit != 1) return lowercase(route.nexthop);
  // One recipient a delivery: each mailbox has its own concurrency, whatever its address extension.
  std::string_view user = mail::localpart_of(route.recipient);
  mail::DelimiterRules rules{.delimiters = settings_.recipient_delimiter};
  if (auto split = mail::split_extension(user, rules)) user = split->user;
  return lowercase(fmt::format("{}@{}", user, route.nexthop));
}

void ActiveQueue::place(Message& message, const Route& route, proto::DeliveryRecipient recipient) {
  recipient.address = route.recipient;
  bool is_retry = route.transport == settings_.retry_service;
  Transport& transport =
      scheduler_.transport(route.transport, [&] { return settings_.rules(route.transport); });
  if (message.insist) dispatcher_.forget_failure(transport);
  if (dispatcher_.throttled(transport) && !is_retry) {
    return place(message, router_.to_retry(route.recipient, "4.3.0", "mail transport unavailable"),
                 std::move(recipient));
  }
  Destination& destination =
      scheduler_.destination(transport, destination_name(transport, route), route.nexthop);
  if (destination.window.dead() && (is_retry || message.insist || Clock::now() >= destination.not_before)) {
    scheduler_.revive(destination);
  }
  if (destination.window.dead()) {
    return place(message,
                 router_.to_retry(route.recipient, destination.dead_status,
                                  "delivery temporarily suspended: " + destination.dead_reason),
                 std::move(recipient));
  }
  scheduler_.add(message, destination, std::move(recipient));
  warn_clogged(destination);
}

void ActiveQueue::warn_clogged(Destination& destination) {
  size_t entries = destination.entries + static_cast<size_t>(destination.busy);
  size_t limit = settings_.message_active_limit;
  if (settings_.clog_warn.count() == 0 || entries * 5 <= limit * 4 || messages_.size() * 10 <= limit * 9)
    return;
  Clock::time_point now = Clock::now();
  if (destination.clog_warned != Clock::time_point::min() &&
      now < destination.clog_warned + settings_.clog_warn)
    return;
  destination.clog_warned = now;
  log::warning("mail for {} is using up {} of {} active queue entries", destination.nexthop, entries,
               messages_.size());
  if (!settings_.helpful) return;
  const Transport& transport = *destination.transport;
  int concurrency = transport.rules.concurrency.limit;
  if (concurrency > 0 && destination.busy >= concurrency) {
    log::warning("you may need to increase the main.cf {}_destination_concurrency_limit from {}",
                 transport.name, concurrency);
  }
  if (transport.destinations.size() > 1) {
    log::warning("you may need a separate master.cf transport for {}", destination.nexthop);
  }
  log::warning("you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time");
  log::warning("please avoid flushing the whole queue when you have");
  log::warning("lots of deferred mail, that is bad for performance");
  log::warning("to turn off these warnings specify: qmgr_clog_warn_time = 0");
}

// --- recipients that did not fit into memory ---

Result<void> ActiveQueue::read_more(Message& message, size_t count) {
  // Apart from the message: deliveries of it go on meanwhile.
  queue::Envelope part = message.envelope;
  auto work = [this, &part, &id = message.id, count]() -> Result<void> {
    auto file = TRY(store_.open(QueueName::active, id, queue::OpenMode::read));
    return queue::read_recipients(*file, part, count);
  };
  TRY(io::offload(work, Deadline::never()));
  message.envelope.recipients = std::move(part.recipients);
  message.envelope.resume = part.resume;
  message.envelope.unread = part.unread;
  return {};
}

size_t ActiveQueue::free_recipients(const Transport& transport, const Job& job) const {
  const RecipientRules& rules = transport.rules.recipients;
  size_t limit = rules.limit + (job.passed_another ? rules.extra_limit : 0);
  return limit - std::min(limit, transport.recipients) + settings_.message_recipient_minimum;
}

/// Reads more of the oldest message that has recipients for this transport and more of them in its file.
void ActiveQueue::refill(Transport& transport) {
  if (unread_.empty()) return;
  const RecipientRules& rules = transport.rules.recipients;
  for (auto& [sequence, message] : unread_) {
    auto job = std::find_if(message->jobs.begin(), message->jobs.end(),
                            [&](const auto& j) { return j->transport == &transport; });
    if (job == message->jobs.end()) continue;
    size_t free = free_recipients(transport, **job);
    bool worth_it = free >= rules.refill_limit || Clock::now() >= message->last_read + rules.refill_delay;
    if (message->reading || message->finishing || !worth_it) return;
    message->reading = true;
    io::spawn([this, kept = message, free] { read_and_schedule(kept, free); });
    return;
  }
}

void ActiveQueue::read_and_schedule(const std::shared_ptr<Message>& message, size_t count) {
  auto more = read_more(*message, count);
  message->last_read = Clock::now();
  if (!more) {
    // The rest is found again when what is under way has ended and the message is read anew.
    log::warning("{}: {}", message->id, more.error().text);
    message->deferred = true;
    message->envelope.recipients.clear();
    message->envelope.resume = 0;
    message->envelope.unread = 0;
  }
  schedule_batch(message);
}

void ActiveQueue::batch_progress(Message& message) {
  if (!message.batch_done() || message.finishing) return;
  message.finishing = true;
  io::spawn([this, kept = messages_.find(message.id)->second] { finish(kept); });
}

void ActiveQueue::finish(const std::shared_ptr<Message>& message) {
  if (message->has_unread()) {
    message->finishing = false;
    message->reading = true;
    return read_and_schedule(message, first_batch());
  }
  ++finishing_;
  completion_.complete(*message);
  --finishing_;
  forget(message->id);
}

}  // namespace postrider::qmgr

#include "qmgr/active_queue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "io/fiber.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "queue/envelope.h"

namespace postrider::qmgr {

using queue::QueueName;

namespace {

/// Addresses resolved at the same time for one message.
constexpr size_t kResolvers = 16;

int64_t now_seconds() { return delivery::now_microseconds() / 1'000'000; }

proto::DeliveryRecipient to_request(queue::Recipient&& recipient) {
  proto::DeliveryRecipient out;
  out.offset = static_cast<int64_t>(recipient.offset);
  out.address = std::move(recipient.address);
  out.original = std::move(recipient.original);
  out.dsn_orcpt = std::move(recipient.dsn_original);
  out.dsn_notify = static_cast<uint32_t>(recipient.notify);
  return out;
}

/// Recipients of one destination stand side by side, and within it those of one domain: fewer transactions, and
/// mail for a domain behind a common relay is handed over together.
bool before(const std::pair<Route, proto::DeliveryRecipient>& a, const std::pair<Route, proto::DeliveryRecipient>& b) {
  auto key = [](const std::string& address) {
    size_t at = std::min(address.rfind('@'), address.size());
    return std::pair(lowercase(std::string_view(address).substr(at)), lowercase(address));
  };
  if (a.first.transport != b.first.transport) return a.first.transport < b.first.transport;
  if (a.first.nexthop != b.first.nexthop) return a.first.nexthop < b.first.nexthop;
  return key(a.second.address) < key(b.second.address);
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
      reporter_(settings.config, "qmgr") {}

bool ActiveQueue::has_room() const {
  return messages_.size() + entering_ < settings_.message_active_limit &&
         recipients_ < settings_.message_recipient_limit;
}

void ActiveQueue::wait_for_room() {
  while (!has_room()) room_.wait(Deadline::never());
}

void ActiveQueue::forget(const std::string& id) {
  messages_.erase(id);
  room_.notify_all();
}

// --- entering ---

void ActiveQueue::admit(const std::string& id, QueueName from, bool flush) {
  if (contains(id)) return;
  ++entering_;
  struct Leave {
    ActiveQueue* queue;
    ~Leave() {
      --queue->entering_;
      queue->room_.notify_all();
    }
  } leave{this};
  if (auto moved = store_.move(id, from, QueueName::active); !moved) {
    // Somebody else was faster: the administrator, or another notice of the same message.
    if (!queue::is_missing(moved.error())) log::warning("{}: {}", id, moved.error().text);
    return;
  }
  auto message = read(id, flush);
  if (!message) return put_aside(id, message.error());
  Message& m = **message;
  messages_.emplace(id, *message);
  log::write(log::Severity::info,
             fmt::format("{}: from=<{}>, size={}, nrcpt={} (queue active)", id, mail::log_address(m.envelope.sender, settings_.log_form),
                         m.envelope.size.size, m.envelope.size.recipients),
             "active", {{"queue_id", id}, {"from", m.envelope.sender}, {"size", m.envelope.size.size}});
  schedule_batch(m);
}

Result<std::shared_ptr<Message>> ActiveQueue::read(const std::string& id, bool flush) {
  auto file = TRY(store_.open(QueueName::active, id, queue::OpenMode::read));
  auto message = std::make_shared<Message>();
  message->id = id;
  message->flush = flush;
  message->forced_expire = queue::is_expired(TRY(file->status()));
  message->envelope = TRY(queue::read_envelope(*file, settings_.recipients_per_message));
  message->sequence = ++sequence_;
  message->active_since = delivery::now_microseconds();
  // Recipients that fail again are recorded again; what the log of the last round says about the others is past.
  if (auto removed = store_.remove(QueueName::defer, id); !removed && !queue::is_missing(removed.error())) {
    return std::unexpected(std::move(removed).error());
  }
  return message;
}

void ActiveQueue::put_aside(const std::string& id, const Error& error) {
  log::warning("{}: {}", id, error.text);
  if (error.kind != ErrorKind::invalid) return put_back(id, settings_.minimal_backoff);
  if (auto moved = store_.move(id, QueueName::active, QueueName::corrupt); !moved) {
    log::error("{}: {}", id, moved.error().text);
  } else {
    log::warning("saving corrupt file \"{}\" from queue \"active\" to queue \"corrupt\"", id);
  }
}

void ActiveQueue::schedule_batch(Message& message) {
  std::vector<queue::Recipient> recipients = std::exchange(message.envelope.recipients, {});
  if (!message.envelope.redirect.empty() && !recipients.empty()) {
    // One delivery to the new address stands for all recipients.
    recipients.resize(1);
    recipients[0].original = recipients[0].address;
    recipients[0].address = message.envelope.redirect;
    message.envelope.resume = 0;
  }
  std::vector<std::pair<Route, proto::DeliveryRecipient>> routed(recipients.size());
  io::TaskGroup resolvers;
  size_t next = 0;
  for (size_t i = 0; i < std::min(kResolvers, recipients.size()); ++i) {
    resolvers.spawn([&] {
      while (next < recipients.size()) {
        size_t mine = next++;
        routed[mine].first = router_.route(message, recipients[mine].address);
        routed[mine].second = to_request(std::move(recipients[mine]));
      }
    });
  }
  resolvers.wait(Deadline::never());
  std::stable_sort(routed.begin(), routed.end(), before);
  std::vector<Transport*> transports;
  for (auto& [route, recipient] : routed) {
    if (route.discard) {
      discard(message, recipient, "undeliverable postmaster notification discarded");
    } else {
      place(message, route, std::move(recipient));
    }
  }
  if (message.batch_done()) return batch_progress(message);
  for (const auto& job : message.jobs) transports.push_back(job->transport);
  for (Transport* transport : transports) dispatcher_.kick(*transport);
}

void ActiveQueue::discard(Message& message, const proto::DeliveryRecipient& recipient, std::string reason) {
  auto file = store_.open(QueueName::active, message.id, queue::OpenMode::read_write);
  delivery::MessageRef ref{.queue_id = message.id,
                           .flags = 0,
                           .times = {message.envelope.arrival_seconds * 1'000'000, message.active_since, 0},
                           .file = file ? file->get() : nullptr};
  mail::DeliveryStatus status{.status = "2.0.0", .action = mail::Action::delivered, .reason = std::move(reason)};
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
  Transport& transport = scheduler_.transport(route.transport, [&] { return settings_.rules(route.transport); });
  if (dispatcher_.throttled(transport) && !is_retry) {
    return place(message, router_.to_retry(route.recipient, "4.3.0", "mail transport unavailable"),
                 std::move(recipient));
  }
  Destination& destination =
      scheduler_.destination(transport, destination_name(transport, route), route.nexthop);
  if (destination.window.dead() && (is_retry || Clock::now() >= destination.not_before)) {
    scheduler_.revive(destination);
  }
  if (destination.window.dead()) {
    return place(message,
                 router_.to_retry(route.recipient, destination.dead_status,
                                  "delivery temporarily suspended: " + destination.dead_reason),
                 std::move(recipient));
  }
  ++recipients_;
  scheduler_.add(message, destination, std::move(recipient));
}

// --- outcomes ---

void ActiveQueue::on_done(Entry entry, Result<proto::DeliverReply> reply) {
  Message& message = *entry.job->message;
  Destination& destination = *entry.destination;
  recipients_ -= entry.recipients.size();
  if (!reply) {
    log::warning("transport {} failure -- see a previous warning/fatal/panic logfile record for the problem description",
                 destination.transport->name);
    bool is_retry = destination.transport->name == settings_.retry_service;
    if (!is_retry) suspend(destination, "4.3.0", "unknown mail transport error");
    // What the agent finished is marked in the file; the others are in this entry still and are tried later.
    message.deferred = true;
    if (!is_retry) {
      Entry copy = entry;
      ++copy.job->busy;  // Holds the job until the recipients are placed elsewhere.
      retry_later({std::move(copy)}, "4.3.0", "unknown mail transport error");
    }
    scheduler_.finish(entry, Scheduler::Outcome::agent_failed, Clock::now());
    return batch_progress(message);
  }
  if (reply->deferred) message.deferred = true;
  bool site_failed = !reply->site_status.empty();
  std::shared_ptr<Message> keep = messages_.find(message.id)->second;
  bool died = scheduler_.finish(entry, site_failed ? Scheduler::Outcome::site_failed : Scheduler::Outcome::reached,
                                Clock::now());
  if (died) suspend(destination, reply->site_status, reply->site_reason);
  batch_progress(message);
}

void ActiveQueue::suspend(Destination& destination, std::string_view status, std::string_view reason) {
  scheduler_.suspend(destination, std::string(status), std::string(reason));
  destination.not_before = Clock::now() + settings_.minimal_backoff;
  retry_later(scheduler_.take_waiting(destination), status, fmt::format("delivery temporarily suspended: {}", reason));
}

void ActiveQueue::on_unavailable(Transport& transport) {
  std::vector<Destination*> waiting;
  for (auto& [name, destination] : transport.destinations) {
    if (!destination->waiting.empty()) waiting.push_back(destination.get());
  }
  for (Destination* destination : waiting) {
    retry_later(scheduler_.take_waiting(*destination), "4.3.0", "mail transport unavailable");
  }
}

void ActiveQueue::retry_later(std::vector<Entry> entries, std::string_view status, std::string_view reason) {
  Transport* retry = nullptr;
  for (Entry& entry : entries) {
    Message& message = *entry.job->message;
    std::shared_ptr<Message> keep = messages_.find(message.id)->second;
    message.deferred = true;
    // Without even a retry service nothing is recorded: the recipients stay in the queue file.
    if (entry.destination->transport->name != settings_.retry_service) {
      for (proto::DeliveryRecipient& recipient : entry.recipients) {
        std::string address = recipient.address;
        place(message, router_.to_retry(address, status, reason), std::move(recipient));
      }
      retry = scheduler_.find_transport(settings_.retry_service);
    }
    scheduler_.drop(entry);
    batch_progress(message);
  }
  if (retry != nullptr) dispatcher_.kick(*retry);
}

void ActiveQueue::batch_progress(Message& message) {
  if (!message.batch_done() || message.finishing) return;
  message.finishing = true;
  io::spawn([this, kept = messages_.find(message.id)->second] { finish(kept); });
}

void ActiveQueue::forget_failures() {
  dispatcher_.forget_failures();
  for (auto& [name, transport] : scheduler_.transports()) {
    for (auto& [destination_name, destination] : transport->destinations) {
      if (destination->window.dead()) scheduler_.revive(*destination);
    }
    dispatcher_.kick(*transport);
  }
}

// --- leaving ---

void ActiveQueue::finish(const std::shared_ptr<Message>& message) {
  Message& m = *message;
  auto more = read_more(m);
  if (!more) {
    forget(m.id);
    return put_aside(m.id, more.error());
  }
  if (*more) {
    m.finishing = false;
    return schedule_batch(m);
  }
  send_notices(m);
  if (!m.deferred || (is_expired(m) && return_expired(m))) {
    remove(m);
  } else {
    warn_if_late(m);
    put_back(m.id, backoff(m));
  }
  forget(m.id);
}

Result<bool> ActiveQueue::read_more(Message& message) {
  if (message.envelope.resume == 0) return false;
  auto file = TRY(store_.open(QueueName::active, message.id, queue::OpenMode::read));
  TRY(queue::read_recipients(*file, message.envelope, settings_.recipients_per_message));
  return !message.envelope.recipients.empty();
}

proto::SendNotice ActiveQueue::notice(const Message& message) const {
  const queue::Envelope& e = message.envelope;
  proto::SendNotice out;
  out.flags = delivery_flags(e.trace_flags);
  out.queue_name = "active";
  out.queue_id = message.id;
  out.encoding = e.encoding;
  out.sendopts = static_cast<uint32_t>(e.size.send_options);
  out.sender = e.sender;
  out.dsn_envid = e.envelope_id;
  out.dsn_ret = static_cast<uint32_t>(e.return_flags);
  out.verp_delimiters = e.verp;
  return out;
}

void ActiveQueue::send_notices(Message& message) {
  // A notice that cannot be queued now keeps the message: its log stays, and the next round sends it.
  auto try_notice = [&](QueueName log, auto call) {
    if (!store_.status(log, message.id)) return;
    proto::SendNotice request = notice(message);
    if (auto sent = call(request); !sent) {
      log::warning("{}: {}", message.id, sent.error().text);
      message.deferred = true;
    }
  };
  clients::BounceClient& services = reporter_.services();
  Deadline deadline = Deadline::after(settings_.ipc_timeout);
  try_notice(QueueName::bounce, [&](auto& request) { return services.flush_bounce(request, deadline); });
  bool traced = false;
  try_notice(QueueName::trace, [&](auto& request) {
    auto reported = services.flush_trace(request, deadline);
    traced = reported.has_value();
    return reported;
  });
  if (!traced || !message.deferred || message.envelope.trace_offset == 0) return;
  // `sendmail -v` reports the first attempt, not each one.
  auto file = store_.open(QueueName::active, message.id, queue::OpenMode::read_write);
  if (file) (void)queue::mark_killed(**file, message.envelope.trace_offset);
}

bool ActiveQueue::is_expired(const Message& message) const {
  if (message.forced_expire) return true;
  const queue::Envelope& e = message.envelope;
  int64_t created = e.create_time > 0 ? e.create_time : e.arrival_seconds;
  seconds lifetime = e.sender.empty() ? settings_.bounce_lifetime : settings_.message_lifetime;
  return now_seconds() >= created + lifetime.count();
}

bool ActiveQueue::return_expired(Message& message) {
  log::info("{}: from=<{}>, status={}, returned to sender", message.id, mail::log_address(message.envelope.sender, settings_.log_form),
            message.forced_expire ? "force-expired" : "expired");
  proto::SendNotice request = notice(message);
  auto sent = reporter_.services().flush_defer(request, Deadline::after(settings_.ipc_timeout));
  if (!sent) log::warning("{}: {}", message.id, sent.error().text);
  return sent.has_value();
}

void ActiveQueue::warn_if_late(Message& message) {
  const queue::Envelope& e = message.envelope;
  if (settings_.delay_warning.count() == 0 || e.warn_time <= 0 || now_seconds() < e.warn_time) return;
  proto::SendNotice request = notice(message);
  if (auto sent = reporter_.services().warn_defer(request, Deadline::after(settings_.ipc_timeout)); !sent) {
    return log::warning("{}: {}", message.id, sent.error().text);
  }
  auto file = store_.open(QueueName::active, message.id, queue::OpenMode::read_write);
  if (file && e.warn_offset > 0) (void)queue::mark_warned(**file, e.warn_offset);
}

seconds ActiveQueue::backoff(const Message& message) const {
  const queue::Envelope& e = message.envelope;
  int64_t created = e.create_time > 0 ? e.create_time : e.arrival_seconds;
  return std::clamp(seconds(now_seconds() - created), settings_.minimal_backoff, settings_.maximal_backoff);
}

void ActiveQueue::put_back(const std::string& id, seconds delay) {
  auto done = store_.set_next_try(QueueName::active, id, now_seconds() + delay.count());
  if (done) done = store_.move(id, QueueName::active, QueueName::deferred);
  // Removed by the administrator meanwhile, or a file system in trouble: the file is where it was, and the next
  // start finds it.
  if (!done && !queue::is_missing(done.error())) log::error("{}: {}", id, done.error().text);
}

/// The one place where a queue file is unlinked: every recipient has been read, every one was reported final, and
/// the notices about them are in the queue.
void ActiveQueue::remove(const Message& message) {
  if (auto removed = store_.remove(QueueName::active, message.id); !removed) {
    if (!queue::is_missing(removed.error())) log::error("{}: {}", message.id, removed.error().text);
    return;
  }
  log::write(log::Severity::info, fmt::format("{}: removed", message.id), "removed", {{"queue_id", message.id}});
}

}  // namespace postrider::qmgr

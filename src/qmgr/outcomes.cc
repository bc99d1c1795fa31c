// ActiveQueue: what the agents' answers mean for messages, destinations and transports.

#include <fmt/format.h>

#include "log/log.h"
#include "qmgr/active_queue.h"
#include "queue/envelope.h"

namespace postrider::qmgr {

using queue::QueueName;

void ActiveQueue::on_done(Entry entry, Result<proto::DeliverReply> reply) {
  if (!reply) return on_agent_lost(std::move(entry));
  Message& message = *entry.job->message;
  Destination& destination = *entry.destination;
  if (reply->deferred) message.deferred = true;
  bool site_failed = !reply->site_status.empty();
  std::shared_ptr<Message> keep = messages_.find(message.id)->second;
  bool died = scheduler_.finish(
      entry, site_failed ? Scheduler::Outcome::site_failed : Scheduler::Outcome::reached, Clock::now());
  if (settings_.feedback_debug) {
    log::info("queue {}: limit {} {}", destination.name, destination.transport->rules.concurrency.limit,
              destination.window.describe());
  }
  if (died) suspend(destination, reply->site_status, reply->site_reason);
  Scheduler::start_anew_if_idle(destination);
  refill(*destination.transport);
  batch_progress(message);
}

void ActiveQueue::on_agent_lost(Entry entry) {
  Message& message = *entry.job->message;
  Destination& destination = *entry.destination;
  std::shared_ptr<Message> keep = messages_.find(message.id)->second;
  log::warning(
      "transport {} failure -- see a previous warning/fatal/panic logfile record for the problem description",
      destination.transport->name);
  bool is_retry = destination.transport->name == settings_.retry_service;
  constexpr std::string_view kStatus = "4.3.0", kReason = "unknown mail transport error";
  if (!is_retry) suspend(destination, kStatus, kReason);
  message.deferred = true;
  Entry rest = entry;
  // What the agent finished is marked in the file.
  rest.recipients = still_open(message, std::move(rest.recipients));
  if (!is_retry && !rest.recipients.empty()) {
    message.reading = true;  // The message is not through before they have been placed elsewhere.
    for (proto::DeliveryRecipient& recipient : rest.recipients) {
      std::string address = recipient.address;
      place(message, router_.to_retry(address, kStatus, kReason), std::move(recipient));
    }
    message.reading = false;
  }
  scheduler_.finish(entry, Scheduler::Outcome::agent_failed, Clock::now());
  if (Transport* retry = scheduler_.find_transport(settings_.retry_service); retry != nullptr && !is_retry) {
    dispatcher_.kick(*retry);
  }
  batch_progress(message);
}

std::vector<proto::DeliveryRecipient> ActiveQueue::still_open(
    const Message& message, std::vector<proto::DeliveryRecipient> recipients) const {
  auto file = store_.open(QueueName::active, message.id, queue::OpenMode::read);
  if (!file) return {};  // They are found again when the message is read anew.
  std::erase_if(recipients, [&](const proto::DeliveryRecipient& recipient) {
    return recipient.offset >= 0 &&
           !queue::is_open(**file, static_cast<uint64_t>(recipient.offset)).value_or(true);
  });
  return recipients;
}

void ActiveQueue::suspend(Destination& destination, std::string_view status, std::string_view reason) {
  scheduler_.suspend(destination, std::string(status), std::string(reason));
  destination.not_before = Clock::now() + settings_.minimal_backoff;
  retry_later(scheduler_.take_waiting(destination), status,
              fmt::format("delivery temporarily suspended: {}", reason));
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

void ActiveQueue::forget_failures() {
  dispatcher_.forget_failures();
  for (auto& [name, transport] : scheduler_.transports()) {
    for (auto& [destination_name, destination] : transport->destinations) {
      if (destination->window.dead()) scheduler_.revive(*destination);
    }
    dispatcher_.kick(*transport);
  }
}

}  // namespace postrider::qmgr

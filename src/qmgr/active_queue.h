// The messages that are being delivered: how they enter the active queue, and how their recipients get to the
// agents.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "delivery/report.h"
#include "io/loop.h"
#include "io/sync.h"
#include "qmgr/completion.h"
#include "qmgr/dispatcher.h"
#include "qmgr/message.h"
#include "qmgr/routes.h"
#include "qmgr/scheduler.h"
#include "qmgr/settings.h"
#include "queue/store.h"

namespace postrider::qmgr {

class ActiveQueue {
 public:
  ActiveQueue(const Settings& settings, const queue::Store& store);

  /// Whether another message may enter. A part of the room is for new mail alone, so that it never waits for
  /// a backlog.
  bool has_room(queue::QueueName from) const;
  bool contains(std::string_view id) const { return messages_.contains(id); }

  /// Takes a message from incoming or deferred into the active queue, reads it and hands its recipients to
  /// the scheduler. `flush`: an administrator asked for it, so that defer_transports does not hold it back.
  void admit(const std::string& id, queue::QueueName from, bool flush);

  /// Forgets what is known against destinations and transports: everything is tried again.
  void forget_failures();

  /// Begins no more deliveries and takes no more messages, and waits for what is under way.
  void drain(Deadline deadline);

  /// Called whenever room has become free.
  void on_room(std::function<void()> call) { on_room_ = std::move(call); }

 private:
  Result<std::shared_ptr<Message>> read(const std::string& id, queue::QueueName from, bool flush);
  Result<void> prepare(Message& message, queue::File& file);
  void check_verp(Message& message) const;
  Result<bool> has_reasons(const Message& message);
  void forget(const std::string& id);

  size_t first_batch() const;
  void schedule_batch(const std::shared_ptr<Message>& message);
  void route_all(Message& message, std::vector<std::pair<Route, proto::DeliveryRecipient>>& out);
  void apply_redirect(Message& message);
  std::string destination_name(const Transport& transport, const Route& route) const;
  void place(Message& message, const Route& route, proto::DeliveryRecipient recipient);
  void warn_clogged(Destination& destination);
  void discard(Message& message, const proto::DeliveryRecipient& recipient, std::string reason);

  void refill(Transport& transport);
  size_t free_recipients(const Transport& transport, const Job& job) const;
  Result<void> read_more(Message& message, size_t count);
  void read_and_schedule(const std::shared_ptr<Message>& message, size_t count);

  void on_done(Entry entry, Result<proto::DeliverReply> reply);
  void on_agent_lost(Entry entry);
  std::vector<proto::DeliveryRecipient> still_open(const Message& message,
                                                   std::vector<proto::DeliveryRecipient> recipients) const;
  void on_unavailable(Transport& transport);
  void suspend(Destination& destination, std::string_view status, std::string_view reason);
  void retry_later(std::vector<Entry> entries, std::string_view status, std::string_view reason);
  void batch_progress(Message& message);
  void finish(const std::shared_ptr<Message>& message);

  const Settings& settings_;
  const queue::Store& store_;
  Scheduler scheduler_;
  Dispatcher dispatcher_;
  Router router_;
  delivery::Reporter reporter_;
  Completion completion_;
  std::unordered_map<std::string, std::shared_ptr<Message>, TextHash, std::equal_to<>> messages_;
  std::map<uint64_t, std::shared_ptr<Message>>
      unread_;  // Those with recipients that have not been read, by age.
  size_t entering_ = 0;
  size_t finishing_ = 0;
  bool draining_ = false;
  size_t probes_ = 0;  // Address verification probes among the messages.
  uint64_t sequence_ = 0;
  std::function<void()> on_room_;
  io::Timer housekeeping_;
};

}  // namespace postrider::qmgr

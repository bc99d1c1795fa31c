// The messages that are being delivered: how they enter the active queue, and what happens when they are through.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "clients/rewrite.h"
#include "delivery/report.h"
#include "io/sync.h"
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

  /// Whether another message may enter.
  bool has_room() const;
  /// Until there is.
  void wait_for_room();
  bool contains(std::string_view id) const { return messages_.contains(id); }

  /// Takes a message from incoming or deferred into the active queue, reads it and hands its recipients to the
  /// scheduler. `flush`: an administrator asked for it, so that defer_transports does not hold it back.
  void admit(const std::string& id, queue::QueueName from, bool flush);

  /// Forgets what is known against destinations and transports: everything is tried again.
  void forget_failures();

 private:
  Result<std::shared_ptr<Message>> read(const std::string& id, bool flush);
  void put_aside(const std::string& id, const Error& error);
  void schedule_batch(Message& message);
  std::string destination_name(const Transport& transport, const Route& route) const;
  void place(Message& message, const Route& route, proto::DeliveryRecipient recipient);
  void discard(Message& message, const proto::DeliveryRecipient& recipient, std::string reason);

  void on_done(Entry entry, Result<proto::DeliverReply> reply);
  void on_unavailable(Transport& transport);
  void suspend(Destination& destination, std::string_view status, std::string_view reason);
  void retry_later(std::vector<Entry> entries, std::string_view status, std::string_view reason);
  void batch_progress(Message& message);

  void finish(const std::shared_ptr<Message>& message);
  Result<bool> read_more(Message& message);
  void send_notices(Message& message);
  bool is_expired(const Message& message) const;
  bool return_expired(Message& message);
  void warn_if_late(Message& message);
  void put_back(const std::string& id, seconds delay);
  void remove(const Message& message);
  void forget(const std::string& id);
  seconds backoff(const Message& message) const;
  proto::SendNotice notice(const Message& message) const;

  const Settings& settings_;
  const queue::Store& store_;
  Scheduler scheduler_;
  Dispatcher dispatcher_;
  Router router_;
  delivery::Reporter reporter_;
  std::unordered_map<std::string, std::shared_ptr<Message>, TextHash, std::equal_to<>> messages_;
  size_t entering_ = 0;
  size_t recipients_ = 0;  // In memory.
  uint64_t sequence_ = 0;
  io::Condition room_;
};

}  // namespace postrider::qmgr

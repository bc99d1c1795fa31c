// What happens to a message when all of its recipients have been tried: notices, removal, another try later.
#pragma once

#include <string>
#include <string_view>

#include "delivery/report.h"
#include "qmgr/message.h"
#include "qmgr/settings.h"
#include "queue/store.h"

namespace postrider::qmgr {

/// Every call leaves the message in a state that the next start of the queue manager can work with.
class Completion {
 public:
  Completion(const Settings& settings, const queue::Store& store, delivery::Reporter& reporter)
      : settings_(settings), store_(store), reporter_(reporter) {}

  /// Sends the notices that are due, and removes the message or puts it back. All of its recipients have been
  /// read and reported.
  void complete(Message& message);
  /// Into the deferred queue, for a try after this time.
  void put_back(const std::string& id, seconds delay);
  /// A message that cannot be read: into the corrupt queue when it is damaged, else back.
  void put_aside(const std::string& id, const Error& error);

 private:
  bool found_damaged(const Message& message) const;
  /// Into the corrupt queue.
  void set_aside(const std::string& id);
  std::string_view failure_word(const Message& message) const;
  static void failed(const Message& message, std::string_view what);
  void send_notices(Message& message);
  void end_trace(const Message& message);
  bool is_expired(const Message& message) const;
  bool return_expired(Message& message);
  void warn_if_late(Message& message);
  void remove(const Message& message);
  seconds backoff(const Message& message) const;
  proto::SendNotice notice(const Message& message) const;
  Deadline deadline() const { return Deadline::after(settings_.ipc_timeout); }

  const Settings& settings_;
  const queue::Store& store_;
  delivery::Reporter& reporter_;
};

}  // namespace postrider::qmgr

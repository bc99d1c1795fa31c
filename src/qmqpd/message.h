// A message on its way from a client to the cleanup service.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "clients/cleanup.h"
#include "clients/remote_client.h"
#include "qmqpd/content.h"
#include "qmqpd/settings.h"

namespace postrider::qmqpd {

class Message {
 public:
  /// An error is temporary.
  static Result<Message> begin(const Settings& settings, clients::CleanupClient& cleanup,
                               const clients::RemoteClient& client);

  const std::string& queue_id() const { return submission_.queue_id(); }

  // In the order in which a client sends them. What cannot be written is logged; finish() says so.
  void content(std::string_view bytes);
  void sender(std::string_view address);
  void recipient(std::string_view address);

  struct Outcome {
    char letter = 'Z';  ///< As in replies: K, Z (try again), D (never).
    std::string text;
  };
  /// The packet is complete. K: the message will not be lost.
  Outcome finish();

 private:
  Message(const Settings& settings, const clients::RemoteClient& client, clients::Submission submission);
  Deadline deadline() const { return Deadline::after(settings_->ipc_timeout); }
  void note(const Result<void>& done);
  void put(queue::RecordType type, std::string_view data);
  void put_attribute(std::string_view name, std::string_view value);
  void put_client();
  void put_line(const queue::ContentRecord& record);
  void put_content();
  std::string received_header() const;
  Outcome outcome(const proto::CleanupStatus& status) const;

  const Settings* settings_;
  const clients::RemoteClient* client_;
  clients::Submission submission_;
  int64_t arrival_seconds_ = 0, arrival_microseconds_ = 0;
  Content content_;
  queue::HeaderStart header_start_;
  std::string first_recipient_;
  size_t recipients_ = 0;
  std::string refusal_;  // Why the sender cannot be taken; empty: it can.
  bool failed_ = false;  // Something could not be written.
};

}  // namespace postrider::qmqpd

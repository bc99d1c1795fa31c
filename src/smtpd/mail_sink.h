// Where messages go.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "proto/cleanup.h"
#include "queue/record.h"

namespace postrider::smtpd {

/// One message on its way. Dropping the object before finish() has returned abandons the message.
class MailSink {
 public:
  virtual ~MailSink() = default;
  virtual const std::string& queue_id() const = 0;
  virtual Result<void> record(queue::RecordType type, std::string_view data, Deadline deadline) = 0;
  /// Passes on what has collected: for a message that will be abandoned, so that the log tells what it was.
  virtual void flush(Deadline deadline) = 0;
  /// Before the content: the mail filters that the message shall be shown to. `relay` does what is wanted of
  /// their connections; it is used until finish() has returned.
  using MilterRelay = std::function<proto::MilterAnswer(const proto::MilterExchange&)>;
  virtual Result<void> milters(const proto::CleanupMilters&, const MilterRelay&, Deadline) { return {}; }
  /// After the last record. No problems in the result: the message will not be lost.
  virtual Result<proto::CleanupStatus> finish(Deadline deadline) = 0;
};

class MailSystem {
 public:
  virtual ~MailSystem() = default;
  /// `flags` are proto::CleanupFlag. An error is temporary; ErrorKind::limit: the disk is full.
  virtual Result<std::unique_ptr<MailSink>> begin(uint32_t flags, Deadline deadline) = 0;
  /// Whether the file system of the queue has room for a message of `size` bytes (0: not known). What is
  /// wrong is logged.
  virtual bool has_room(int64_t size) = 0;
};

}  // namespace postrider::smtpd

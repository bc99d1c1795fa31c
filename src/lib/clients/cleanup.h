// Handing a message to the cleanup service.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "ipc/client.h"
#include "proto/cleanup.h"
#include "queue/record.h"

namespace postrider::clients {

/// A message on its way into the queue. Dropping the object before finish() has returned abandons the
/// message; nothing stays behind.
class Submission {
 public:
  const std::string& queue_id() const { return queue_id_; }

  /// Adds a record; sends when a chunk has collected. After a failure, also cleanup's own ("stop, this cannot
  /// be stored"), further records are dropped: finish() says why.
  Result<void> record(queue::RecordType type, std::string_view data, Deadline deadline);
  /// Records that are encoded already, split at any byte.
  Result<void> records(std::string_view bytes, Deadline deadline);
  /// Sends what has collected, so that cleanup has seen it when the message is abandoned.
  Result<void> flush(Deadline deadline) { return send_chunk(deadline); }
  /// The mail filters that cleanup shall show the message to; before the content.
  Result<void> milters(proto::CleanupMilters milters, Deadline deadline);
  /// Does what cleanup wants of a mail filter's connection.
  using MilterRelay = std::function<proto::MilterAnswer(const proto::MilterExchange&)>;
  /// The end of the message. problems == 0 in the result: data and name are on disk. `relay` may be empty
  /// where milters() was not called.
  Result<proto::CleanupStatus> finish(const MilterRelay& relay, Deadline deadline);
  Result<proto::CleanupStatus> finish(Deadline deadline) { return finish({}, deadline); }

 private:
  friend class CleanupClient;
  Submission(ipc::Pool& pool, std::unique_ptr<ipc::Connection> connection, std::string queue_id);
  Result<void> put_chunk();
  Result<void> send_chunk(Deadline deadline);

  ipc::Pool* pool_;
  std::unique_ptr<ipc::Connection> connection_;
  std::string queue_id_;
  std::string chunk_;
};

/// Connections to the cleanup service of this process.
class CleanupClient {
 public:
  /// `service` is cleanup_service_name, or another as smtpd's -o may say.
  CleanupClient(const config::Config& config, std::string_view service, std::string_view asker);
  /// Starts a message; `flags` are CleanupFlag. An error is temporary.
  Result<Submission> begin(uint32_t flags, Deadline deadline);

 private:
  ipc::Pool pool_;
};

}  // namespace postrider::clients

#include "clients/cleanup.h"

#include "clients/endpoint.h"

namespace postrider::clients {

namespace {
// A frame's header and length must fit beside the records.
constexpr size_t kChunk = ipc::kMaxChunk - 1024;
}  // namespace

CleanupClient::CleanupClient(const config::Config& config, std::string_view service, std::string_view asker)
    : pool_(public_endpoint(config, service, asker)) {}

Result<Submission> CleanupClient::begin(uint32_t flags, Deadline deadline) {
  proto::CleanupBegin begin;
  begin.flags = flags;
  for (;;) {
    ipc::Pool::Taken taken = TRY(pool_.take(deadline));
    auto reply = [&]() -> Result<proto::CleanupQueueId> {
      TRY(taken.connection->send(begin, deadline));
      return taken.connection->receive_as<proto::CleanupQueueId>(deadline);
    }();
    if (reply) return Submission(pool_, std::move(taken.connection), std::move(reply->queue_id));
    // A connection that had been idle may have been closed at the other end just now; nothing is lost yet.
    if (!taken.reused || reply.error().kind == ErrorKind::timeout)
      return std::unexpected(std::move(reply).error());
  }
}

Submission::Submission(ipc::Pool& pool, std::unique_ptr<ipc::Connection> connection, std::string queue_id)
    : pool_(&pool), connection_(std::move(connection)), queue_id_(std::move(queue_id)) {}

Result<void> Submission::record(queue::RecordType type, std::string_view data, Deadline deadline) {
  queue::append_record(chunk_, type, data);
  return chunk_.size() >= kChunk / 2 ? send_chunk(deadline) : Result<void>();
}

Result<void> Submission::records(std::string_view bytes, Deadline deadline) {
  chunk_ += bytes;
  return chunk_.size() >= kChunk / 2 ? send_chunk(deadline) : Result<void>();
}

Result<void> Submission::put_chunk() {
  std::string_view rest = chunk_;
  while (!rest.empty()) {
    proto::CleanupData data;
    data.records = rest.substr(0, kChunk);
    rest.remove_prefix(data.records.size());
    TRY(connection_->put(data));
  }
  chunk_.clear();
  return {};
}

Result<void> Submission::send_chunk(Deadline deadline) {
  TRY(put_chunk());
  return connection_->flush(deadline);
}

Result<void> Submission::milters(proto::CleanupMilters milters, Deadline deadline) {
  TRY(put_chunk());
  return connection_->send(milters, deadline);
}

Result<proto::CleanupStatus> Submission::finish(const MilterRelay& relay, Deadline deadline) {
  // The last data and the end leave in one write.
  TRY(put_chunk());
  TRY(connection_->send(proto::CleanupEnd{}, deadline));
  for (;;) {
    ipc::Frame frame = TRY(connection_->receive(deadline));
    if (frame.type == proto::MilterExchange::kType && relay) {
      auto exchange = TRY(ipc::Connection::open_frame<proto::MilterExchange>(frame));
      proto::MilterAnswer answer = relay(exchange);
      if (exchange.wants_answer) TRY(connection_->send(answer, deadline));
      continue;
    }
    auto status = ipc::Connection::open_frame<proto::CleanupStatus>(frame);
    if (status) pool_->give_back(std::move(connection_));
    return status;
  }
}

}  // namespace postrider::clients

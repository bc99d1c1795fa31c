#include "cleanup/job.h"

#include "cleanup/bouncer.h"
#include "cleanup/intake.h"
#include "log/log.h"

namespace postrider::cleanup {

using queue::QueueName;

namespace {

/// Reads the frames of one message up to CleanupEnd. An error means that the client is gone, or is none.
Result<void> receive(ipc::Connection& connection, Intake& intake, Milters& milters, seconds timeout) {
  for (;;) {
    ipc::Frame frame = TRY(connection.receive(Deadline::after(timeout)));
    if (frame.type == proto::CleanupEnd::kType) return {};
    if (frame.type == proto::CleanupMilters::kType) {
      milters.take_over(TRY(ipc::Connection::open_frame<proto::CleanupMilters>(frame)), connection);
      continue;
    }
    auto data = TRY(ipc::Connection::open_frame<proto::CleanupData>(frame));
    TRY(intake.data(data.records));
  }
}

/// Removes what was written, and says so.
void drop(Workshop& workshop, MessageState& state) {
  // Also what has not been found to be too large yet.
  if (state.is_too_large(state.writer.position())) log::warning("mail_stream_cleanup: close error");
  state.writer.abort();
  if (state.traced) (void)workshop.store.remove(QueueName::trace, state.id());
  log::info("{}: removed ({})", state.id(), state.problems == 0 ? "discarded" : "canceled");
}

/// The commit: after a status without problems the client may say 250.
void commit(Workshop& workshop, MessageState& state) {
  // An access rule has said that nobody shall learn of problems.
  if (state.has(proto::kCleanupDiscard)) state.problems = 0;
  bool bounces = state.has(proto::kCleanupBounce) && state.sender && (state.problems & kCannotBounce) == 0;
  if (state.problems != 0 && bounces) bounce(state, workshop.reporter);
  if (state.problems != 0 || state.has(proto::kCleanupDiscard)) return drop(workshop, state);

  bool hold = state.has(proto::kCleanupHold);
  if (hold) state.writer.set_destination(QueueName::hold);
  auto committed = state.writer.commit(Deadline::after(workshop.settings.ipc_timeout));
  if (committed) {
    if (!hold) {
      workshop.notifier.arrived(state.id());
      workshop.in_flow.arrived(state.id());
    }
    return;
  }
  log::warning("{}: write queue file: {}", state.id(), committed.error().text);
  state.fail(proto::kProblemWrite | (queue::is_disk_full(committed.error()) ? proto::kProblemDiskFull : 0U));
  drop(workshop, state);
}

Result<void> refuse(ipc::Connection& connection, const Error& error, seconds timeout) {
  log::warning("create queue file: {}", error.text);
  ipc::Failure failure;
  failure.kind = static_cast<uint8_t>(queue::is_disk_full(error) ? ErrorKind::limit : ErrorKind::temporary);
  failure.reason = error.text;
  return connection.send(failure, Deadline::after(timeout));
}

Result<void> serve_message(Workshop& workshop, ipc::Connection& connection, uint32_t flags) {
  seconds timeout = workshop.settings.ipc_timeout;
  workshop.in_flow.pause();
  auto writer = queue::MessageWriter::begin(workshop.store, workshop.committer);
  if (!writer) return refuse(connection, writer.error(), timeout);
  MessageState state(workshop.settings, std::move(*writer), flags);
  proto::CleanupQueueId reply;
  reply.queue_id = state.id();
  auto received = connection.send(reply, Deadline::after(timeout));
  state.filtered = state.has(proto::kCleanupMilter) &&
                   (state.has(proto::kCleanupFromSmtpd) || !workshop.filters.local.empty());
  Milters milters(state, workshop.filters);
  state.milters = &milters;
  Intake intake(state, workshop.mapper, workshop.reporter, milters);
  if (received) received = receive(connection, intake, milters, timeout);
  if (!received) {
    state.fail(proto::kProblemBad);
    drop(workshop, state);
    return received;
  }
  intake.end();
  commit(workshop, state);
  proto::CleanupStatus status;
  status.problems = state.problems;
  status.reason = std::string_view(state.reason).substr(0, status.reason.kMax);
  status.reply = std::string_view(state.smtp_reply).substr(0, status.reply.kMax);
  return connection.send(status, Deadline::after(timeout));
}

}  // namespace

Result<void> serve(Workshop& workshop, ipc::Connection& connection) {
  for (;;) {
    // A client that keeps an idle connection ends it itself.
    connection.wait_frame(Deadline::never());
    auto begin = connection.receive_as<proto::CleanupBegin>(Deadline::after(workshop.settings.ipc_timeout));
    if (!begin) {
      if (begin.error().kind == ErrorKind::closed) return {};
      return std::unexpected(std::move(begin).error());
    }
    auto served = serve_message(workshop, connection, begin->flags);
    if (!served) {
      // A client that goes away in the middle (its own client did) is no news.
      if (served.error().kind == ErrorKind::closed) return {};
      return served;
    }
  }
}

}  // namespace postrider::cleanup

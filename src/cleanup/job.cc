#include "cleanup/job.h"

#include <fmt/format.h>

#include "cleanup/content.h"
#include "cleanup/envelope.h"
#include "cleanup/record_stream.h"
#include "log/log.h"

namespace postrider::cleanup {

using queue::QueueName;
using queue::RecordType;

namespace {

/// Feeds the records of a message to the stages.
class Intake {
 public:
  explicit Intake(MessageState& state) : state_(state), envelope_(state), content_(state) {}

  Result<void> data(std::string_view bytes) {
    stream_.add(bytes);
    for (;;) {
      std::optional<queue::Record> record = TRY(stream_.next());
      if (!record) return {};
      TRY(accept(*record));
    }
  }
  bool complete() const { return place_ == Place::done; }

 private:
  enum class Place : unsigned char { envelope, content, extracted, done };

  Result<void> accept(const queue::Record& record) {
    switch (place_) {
      case Place::envelope:
        if (record.is(RecordType::message)) return begin_content();
        if (record.is(RecordType::end)) break;
        envelope_.record(record);
        return {};
      case Place::content:
        if (record.is(RecordType::text) || record.is(RecordType::text_part)) {
          content_.line(record.data, record.is(RecordType::text) ? mail::LineEnd::here : mail::LineEnd::later);
          return {};
        }
        if (record.is(RecordType::extracted)) return end_content();
        break;
      case Place::extracted:
        if (record.is(RecordType::end)) {
          finish();
          return {};
        }
        envelope_.extracted(record);
        return {};
      case Place::done:
        break;
    }
    return fail(ErrorKind::invalid, fmt::format("unexpected record type {}", static_cast<int>(record.type)));
  }

  Result<void> begin_content() {
    envelope_.end_of_envelope();
    state_.writer.append(RecordType::message, "");
    content_offset_ = state_.writer.position();
    place_ = Place::content;
    return {};
  }

  Result<void> end_content() {
    content_.finish();
    content_size_ = state_.writer.position() - content_offset_;
    state_.writer.append(RecordType::extracted, "");
    place_ = Place::extracted;
    return {};
  }

  void finish() {
    envelope_.finish();
    state_.writer.append(RecordType::end, "");
    queue::SizeRecord size;
    size.size = size.content_length = static_cast<int64_t>(content_size_);
    size.offset = static_cast<int64_t>(content_offset_);
    size.recipients = static_cast<int64_t>(state_.recipients);
    size.flags = static_cast<int64_t>(state_.notify_bits) << queue::kNotifyShift;
    size.send_options = state_.send_options;
    state_.writer.fill_size(size);
    place_ = Place::done;
  }

  MessageState& state_;
  Envelope envelope_;
  Content content_;
  RecordStream stream_;
  Place place_ = Place::envelope;
  uint64_t content_offset_ = 0, content_size_ = 0;
};

/// Reads the frames of one message up to CleanupEnd.
Result<void> receive(ipc::Connection& connection, Intake& intake, seconds timeout) {
  for (;;) {
    ipc::Frame frame = TRY(connection.receive(Deadline::after(timeout)));
    if (frame.type == proto::CleanupEnd::kType) break;
    auto data = TRY(ipc::Connection::open_frame<proto::CleanupData>(frame));
    TRY(intake.data(data.records));
  }
  if (!intake.complete()) return fail(ErrorKind::invalid, "the message ended inside a record");
  return {};
}

/// The commit: after a status without problems the client may say 250.
proto::CleanupStatus commit(Workshop& workshop, MessageState& state) {
  const Settings& settings = workshop.settings;
  proto::CleanupStatus out;
  if (!state.failed() && state.recipients == 0 && (state.flags & proto::kCleanupDiscard) == 0) {
    state.fail(proto::kProblemRecipients);
  }
  if (!state.failed() && (state.flags & proto::kCleanupDiscard) != 0) {
    state.writer.abort();
    return out;
  }
  if (!state.failed()) {
    bool hold = (state.flags & proto::kCleanupHold) != 0;
    if (hold) state.writer.set_destination(QueueName::hold);
    if (auto committed = state.writer.commit(Deadline::after(settings.ipc_timeout)); !committed) {
      log::warning("{}: write queue file: {}", state.id(), committed.error().text);
      state.fail(queue::is_disk_full(committed.error()) ? proto::kProblemWrite | proto::kProblemDiskFull
                                                        : proto::kProblemWrite);
    } else if (!hold) {
      workshop.notifier.arrived(state.id());
    }
  } else {
    state.writer.abort();
  }
  out.problems = state.problems;
  out.reason = std::string_view(state.reason).substr(0, out.reason.kMax);
  return out;
}

Result<void> serve_message(Workshop& workshop, ipc::Connection& connection, uint32_t flags) {
  seconds timeout = workshop.settings.ipc_timeout;
  auto writer = queue::MessageWriter::begin(workshop.store, workshop.committer);
  if (!writer) {
    log::warning("create queue file: {}", writer.error().text);
    ipc::Failure failure;
    failure.kind = static_cast<uint8_t>(queue::is_disk_full(writer.error()) ? ErrorKind::limit : ErrorKind::temporary);
    failure.reason = writer.error().text;
    return connection.send(failure, Deadline::after(timeout));
  }
  MessageState state(workshop.settings, workshop.mapper, std::move(*writer), flags);
  if ((flags & proto::kCleanupSmtpUtf8) != 0) state.send_options |= queue::kSmtputf8Requested;
  proto::CleanupQueueId reply;
  reply.queue_id = state.id();
  TRY(connection.send(reply, Deadline::after(timeout)));
  Intake intake(state);
  // Leaving early drops the file: MessageState's writer removes what was not committed.
  TRY(receive(connection, intake, timeout));
  proto::CleanupStatus status = commit(workshop, state);
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

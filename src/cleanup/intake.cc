#include "cleanup/intake.h"

#include <utility>

#include <fmt/format.h>

namespace postrider::cleanup {

using queue::RecordType;

Result<void> Intake::data(std::string_view bytes) {
  stream_.add(bytes);
  if (place_ == Place::envelope && state_.writing()) prefetch_addresses();
  for (;;) {
    std::optional<queue::Record> record = TRY(stream_.next());
    if (!record) return {};
    // After a problem the rest is only taken in until the client is ready to hear of it.
    if (state_.writing()) accept(*record);
  }
}

/// All addresses at hand are asked for at once: one question instead of one for each.
void Intake::prefetch_addresses() {
  std::vector<std::string_view> addresses;
  stream_.peek([&](const queue::Record& record) {
    bool address = record.is(RecordType::sender) || record.is(RecordType::recipient);
    if (address && !record.data.empty()) addresses.push_back(record.data);
    return !record.is(RecordType::message);
  });
  if (addresses.size() > 1) mapper_.prefetch(state_, addresses);
}

void Intake::accept(const queue::Record& record) {
  switch (place_) {
    case Place::envelope:
      if (record.is(RecordType::message)) return begin_content();
      return envelope_.record(record);
    case Place::content:
      return content(record);
    case Place::extracted:
      if (record.is(RecordType::end)) return finish();
      return envelope_.extracted(record);
    case Place::done:
      return state_.reject(proto::kProblemBad, fmt::format("unexpected record type {} after the end",
                                                           static_cast<int>(record.type)));
  }
}

void Intake::begin_content() {
  envelope_.end_of_envelope();
  state_.put(RecordType::message, "");
  content_offset_ = state_.writer.position();
  state_.marks.headers = state_.put_place();
  place_ = Place::content;
}

void Intake::content(const queue::Record& record) {
  switch (record.type) {
    case RecordType::text:
      in_line_ = false;
      return content_.line(record.data, mail::LineEnd::here);
    case RecordType::text_part:
      in_line_ = true;
      return content_.line(record.data, mail::LineEnd::later);
    case RecordType::extracted:
      // Content that lacks the end of its last line gets one.
      if (std::exchange(in_line_, false)) content_.line("", mail::LineEnd::here);
      content_.finish();
      content_size_ = state_.writer.position() - content_offset_;
      state_.marks.after_body = state_.writer.position();
      state_.put(RecordType::extracted, "");
      place_ = Place::extracted;
      return;
    default:
      return state_.reject(proto::kProblemBad, fmt::format("unexpected record type {} in message content",
                                                           static_cast<int>(record.type)));
  }
}

void Intake::finish() {
  envelope_.finish();
  state_.marks.tail = state_.put_place();
  state_.marks.end = state_.writer.position();
  state_.put(RecordType::end, "");
  place_ = Place::done;
}

void Intake::end() {
  if (state_.writing()) {
    if (state_.is_too_large(state_.writer.position())) state_.fail_too_large();
    if (state_.recipients == 0 && !state_.probe_answered) state_.fail(proto::kProblemRecipients);
    if (place_ != Place::done) state_.fail(proto::kProblemBad);
  }
  if (state_.writing() && state_.problems == 0) milters_.inspect(recipients_, mapper_, content_offset_);
  state_.milters = nullptr;
  queue::SizeRecord size;
  size.size = static_cast<int64_t>(content_size_);
  size.content_length = static_cast<int64_t>(milters_.content_length(content_size_, content_offset_));
  size.offset = static_cast<int64_t>(content_offset_);
  size.recipients = static_cast<int64_t>(state_.recipients);
  size.flags = state_.size_flags;
  size.send_options = state_.send_options;
  state_.writer.fill_size(size);
}

}  // namespace postrider::cleanup

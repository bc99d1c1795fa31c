#include "queue/envelope.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::queue {

namespace {

/// No envelope record needs more; content is skipped, not read.
constexpr size_t kMaxEnvelopeRecord = 64 * 1024;
constexpr size_t kMaxRecipientText = 16 * 1024;

int to_int(std::string_view text) {
  auto number = parse_int(trim(text));
  return number && *number >= 0 && *number <= INT32_MAX ? static_cast<int>(*number) : 0;
}

int64_t to_time(std::string_view text) {
  return parse_int(trim(text)).value_or(0);
}

/// Walks the records of an envelope: the segment before the content and the one behind it.
class EnvelopeReader {
 public:
  EnvelopeReader(ByteSource& source, uint64_t offset, Envelope& envelope, size_t max_recipients)
      : reader_(source, offset, {.max_record = kMaxEnvelopeRecord}),
        envelope_(envelope),
        max_recipients_(std::max<size_t>(max_recipients, 1)) {}

  /// Everything, or after the first call on a file, only recipients.
  Result<void> read(bool recipients_only) {
    recipients_only_ = recipients_only;
    envelope_.recipients.clear();
    envelope_.resume = 0;
    return walk();
  }

  Result<void> check() const {
    if (!has_size_) return fail(ErrorKind::invalid, "missing size record");
    if (!has_sender_) return fail(ErrorKind::invalid, "missing sender record");
    if (envelope_.arrival_seconds <= 0) return fail(ErrorKind::invalid, "missing arrival time record");
    return {};
  }

 private:
  /// The next record; what is wrong with one is told with its place.
  Result<std::optional<Record>> next_record() {
    auto record = reader_.next();
    if (!record) record.error().text = at(record.error().text);
    return record;
  }
  std::string at(std::string_view text) const {
    return fmt::format("at offset {}: {}", reader_.failed_at(), text);
  }
  std::unexpected<Error> refused(std::string_view text) const { return fail(ErrorKind::invalid, at(text)); }

  Result<void> walk() {
    for (;;) {
      auto record = TRY(next_record());
      if (!record) return fail(ErrorKind::invalid, "missing end record");
      if (record->is(RecordType::end)) {
        return in_extracted_ || recipients_only_ ? Result<void>() : refused("no message content");
      }
      if (record->is(RecordType::message)) {
        TRY(skip_content());
        continue;
      }
      if (record->is(RecordType::extracted)) return refused("out-of-order extracted segment marker");
      record->data = record->data.substr(0, record->data.find('\0'));
      if (TRY(take_recipient_part(*record))) {
        if (envelope_.resume == 0 || in_mixed_part()) continue;
        // The rest of this segment is recipients alone.
        if (in_extracted_ || recipients_only_) return {};
        TRY(go_to_extracted());
        continue;
      }
      if (!recipients_only_) TRY(take(*record));
    }
  }

  bool in_mixed_part() const { return !recipients_only_ && (envelope_.size.flags & kMixedRecipients) != 0; }

  Result<void> skip_content() {
    if (!has_size_ && !recipients_only_) return fail(ErrorKind::invalid, "missing size record");
    if (reader_.position() != static_cast<uint64_t>(envelope_.size.offset)) {
      return refused("the content is not where the size record says");
    }
    return go_to_extracted();
  }

  Result<void> go_to_extracted() {
    reader_.seek(static_cast<uint64_t>(envelope_.size.offset) + static_cast<uint64_t>(envelope_.size.size));
    auto record = TRY(next_record());
    if (!record) return fail(ErrorKind::invalid, "missing end record");
    if (!record->is(RecordType::extracted) || in_extracted_) {
      return refused("the content does not end where the size record says");
    }
    in_extracted_ = true;
    return {};
  }

  /// Takes a record that belongs to a recipient; false when it is something else.
  Result<bool> take_recipient_part(const Record& record) {
    switch (record.type) {
      case RecordType::recipient:
        TRY(add_recipient(record));
        return true;
      case RecordType::done:
      case RecordType::canceled:
        if (envelope_.resume == 0) --envelope_.unread;
        pending_ = {};
        return true;
      case RecordType::original_recipient:
        return set_pending(pending_.original, record.data);
      case RecordType::dsn_original:
        return set_pending(pending_.dsn_original, record.data);
      case RecordType::dsn_notify:
        pending_.notify = to_int(record.data);
        return true;
      case RecordType::attribute:
        break;
      default:
        return false;
    }
    auto attribute = parse_attribute(record.data);
    if (attribute && attribute->name == attribute::kDsnOriginal) {
      return set_pending(pending_.dsn_original, attribute->value);
    }
    if (!attribute || attribute->name != attribute::kNotify) return false;
    pending_.notify = to_int(attribute->value);
    return true;
  }

  Result<bool> set_pending(std::string& field, std::string_view value) {
    if (value.size() > kMaxRecipientText) return fail(ErrorKind::limit, "recipient address is too long");
    field = value;
    return true;
  }

  Result<void> add_recipient(const Record& record) {
    if (envelope_.resume != 0) return {};
    TRY(set_pending(pending_.address, record.data));
    pending_.offset = record.offset;
    envelope_.recipients.push_back(std::exchange(pending_, {}));
    --envelope_.unread;
    if (envelope_.recipients.size() >= max_recipients_) envelope_.resume = reader_.position();
    return {};
  }

  Result<void> take(const Record& record) {
    std::string_view data = record.data;
    switch (record.type) {
      case RecordType::size:
        return take_size(data);
      case RecordType::arrival_time:
        if (envelope_.arrival_seconds == 0) take_arrival(data);
        return {};
      case RecordType::full_name:
        return set(envelope_.sender_full_name, data);
      case RecordType::sender:
        if (std::exchange(has_sender_, true)) return {};
        return set(envelope_.sender, data);
      case RecordType::filter:
        return set(envelope_.filter, data);
      case RecordType::inspector:
        return set(envelope_.inspector, data);
      case RecordType::redirect:
        return set(envelope_.redirect, data);
      case RecordType::verp:
        return set(envelope_.verp, data);
      case RecordType::dsn_envelope_id:
        return set(envelope_.envelope_id, data);
      case RecordType::dsn_return:
        envelope_.return_flags = to_int(data);
        return {};
      case RecordType::warn_time:
        if (envelope_.warn_offset != 0) return {};
        envelope_.warn_offset = record.offset;
        envelope_.warn_time = to_time(data);
        return {};
      case RecordType::attribute:
        return take_attribute(record);
      default:
        break;
    }
    if (!has_size_) {
      return fail(ErrorKind::invalid, fmt::format("Unexpected record type '{}' at offset {}",
                                                  static_cast<char>(record.type), record.offset));
    }
    return {};  // Types that mean nothing for delivery, or that a later version may have added.
  }

  Result<void> take_size(std::string_view data) {
    if (std::exchange(has_size_, true)) return refused("second size record");
    envelope_.size = TRY(SizeRecord::parse(data));
    if (envelope_.size.offset <= 0 || envelope_.size.offset > INT64_MAX / 2 ||
        envelope_.size.size > INT64_MAX / 2) {
      return refused("malformed size record");
    }
    envelope_.unread = envelope_.size.recipients;
    return {};
  }

  void take_arrival(std::string_view data) {
    auto seconds = next_token(data, " ");
    auto microseconds = next_token(data, " ");
    envelope_.arrival_seconds = seconds ? to_time(*seconds) : 0;
    envelope_.arrival_microseconds = microseconds ? std::min(to_int(*microseconds), 999'999) : 0;
  }

  Result<void> take_attribute(const Record& record) {
    auto parsed = parse_attribute(record.data);
    if (!parsed) return {};  // One malformed attribute is no reason to lose a message.
    auto [name, value] = *parsed;
    if (name == attribute::kCreateTime) {
      envelope_.create_time = to_time(value);
    } else if (name == attribute::kEnvelopeId) {
      return set(envelope_.envelope_id, value);
    } else if (name == attribute::kReturn) {
      envelope_.return_flags = to_int(value);
    } else if (name == attribute::kEncoding) {
      return set(envelope_.encoding, value);
    } else if (name == attribute::kTraceFlags) {
      if (envelope_.trace_flags != 0) return {};
      envelope_.trace_flags = to_int(value);
      envelope_.trace_offset = record.offset;
    } else {
      return set_other(name, value);
    }
    return {};
  }

  Result<void> set_other(std::string_view name, std::string_view value) {
    auto it = std::ranges::find(envelope_.others, name, &Envelope::NamedValue::name);
    if (it == envelope_.others.end()) {
      if (envelope_.others.size() >= kMaxAttributes) return fail(ErrorKind::limit, "too many attributes");
      text_ += name.size();
      it = envelope_.others.insert(it, {std::string(name), {}});
    }
    return set(it->value, value);
  }

  Result<void> set(std::string& field, std::string_view value) {
    text_ += value.size();
    if (text_ > kMaxEnvelopeText) return fail(ErrorKind::limit, "the envelope is too large");
    field = value;
    return {};
  }

  RecordReader reader_;
  Envelope& envelope_;
  size_t max_recipients_;
  Recipient pending_;  // What came before the record of the recipient itself.
  size_t text_ = 0;    // Bytes of text that were stored.
  bool recipients_only_ = false;
  bool in_extracted_ = false;
  bool has_size_ = false;
  bool has_sender_ = false;
};

/// The type byte at `offset`, which must be one of `from`, becomes `to`.
Result<void> change_type(File& file, uint64_t offset, std::string_view from, RecordType to) {
  char byte = 0;
  size_t got = TRY(file.read_at(offset, &byte, 1));
  if (got != 1 || from.find(byte) == std::string_view::npos) {
    return fail(ErrorKind::invalid, fmt::format("no record of type {} at offset {}", from[0], offset));
  }
  const char changed = static_cast<char>(to);
  if (byte == changed) return {};
  return file.write_at(offset, std::string_view(&changed, 1));
}

}  // namespace

std::string_view Envelope::attribute(std::string_view name) const {
  auto it = std::ranges::find(others, name, &NamedValue::name);
  return it == others.end() ? std::string_view() : std::string_view(it->value);
}

Result<Envelope> read_envelope(ByteSource& source, size_t max_recipients) {
  Envelope envelope;
  EnvelopeReader reader(source, 0, envelope, max_recipients);
  TRY(reader.read(false));
  TRY(reader.check());
  return envelope;
}

Result<void> read_recipients(ByteSource& source, Envelope& envelope, size_t max_recipients) {
  uint64_t offset = envelope.resume;
  if (offset == 0) {
    envelope.recipients.clear();
    return {};
  }
  return EnvelopeReader(source, offset, envelope, max_recipients).read(true);
}

Result<void> mark_done(File& file, uint64_t offset) {
  return change_type(file, offset, "RD", RecordType::done);
}

Result<bool> is_open(File& file, uint64_t offset) {
  char byte = 0;
  size_t got = TRY(file.read_at(offset, &byte, 1));
  return got == 1 && byte == static_cast<char>(RecordType::recipient);
}

Result<void> mark_killed(File& file, uint64_t offset) {
  return change_type(file, offset, "AK", RecordType::killed);
}

Result<void> mark_warned(File& file, uint64_t warn_offset) {
  RecordReader reader(file, warn_offset,
                      {.follow_pointers = false, .max_record = kMaxEnvelopeRecord, .buffer = 64});
  auto record = TRY(reader.next());
  constexpr std::string_view kDone = "-1";
  if (!record || !record->is(RecordType::warn_time) || record->data.size() < kDone.size()) {
    return fail(ErrorKind::invalid, fmt::format("no record of type W at offset {}", warn_offset));
  }
  size_t width = record->data.size();
  return file.write_at(reader.position() - width, fmt::format("{:>{}}", kDone, width));
}

}  // namespace postrider::queue

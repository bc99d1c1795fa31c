#include "queue/record.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::queue {

namespace {

constexpr int kMaxLengthBytes = 5;
constexpr size_t kReadStep = 64 * 1024;

struct TypeName {
  RecordType type;
  std::string_view name;
  bool envelope;  // May be the first record of a file.
};

constexpr auto kTypes = std::to_array<TypeName>({
    {RecordType::size, "message_size", true},
    {RecordType::arrival_time, "message_arrival_time", true},
    {RecordType::create_time, "queue_file_create_time", true},
    {RecordType::full_name, "sender_fullname", true},
    {RecordType::inspector, "content_inspector", true},
    {RecordType::filter, "content_filter", true},
    {RecordType::sender, "sender", true},
    {RecordType::done, "done_recipient", true},
    {RecordType::recipient, "recipient", true},
    {RecordType::original_recipient, "original_recipient", true},
    {RecordType::canceled, "canceled_recipient", true},
    {RecordType::warn_time, "warning_message_time", true},
    {RecordType::attribute, "named_attribute", true},
    {RecordType::killed, "killed_record", true},
    {RecordType::redirect, "redirect_to", true},
    {RecordType::flags, "flags", false},
    {RecordType::message, "message_content", true},
    {RecordType::text, "regular_text", false},
    {RecordType::padding, "padding", false},
    {RecordType::extracted, "extracted_info", false},
    {RecordType::return_receipt, "return_receipt", false},
    {RecordType::errors_to, "errors_to", false},
    {RecordType::priority, "priority", false},
    {RecordType::pointer, "pointer_record", false},
    {RecordType::verp, "verp_delimiters", true},
    {RecordType::dsn_return, "dsn_return_flags", true},
    {RecordType::dsn_envelope_id, "dsn_envelope_id", true},
    {RecordType::dsn_original, "dsn_original_recipient", true},
    {RecordType::dsn_notify, "dsn_notify_flags", true},
    {RecordType::end, "message_end", false},
});

const TypeName* find_type(RecordType type) {
  auto it = std::ranges::find(kTypes, type, &TypeName::type);
  return it == kTypes.end() ? nullptr : &*it;
}

}  // namespace

std::string_view record_name(RecordType type) {
  const TypeName* known = find_type(type);
  return known != nullptr ? known->name : "unknown_record_type";
}

bool is_envelope_type(RecordType type) {
  const TypeName* known = find_type(type);
  return known != nullptr && known->envelope;
}

// --- writing ---

void append_record(std::string& out, RecordType type, std::string_view data) {
  out += static_cast<char>(type);
  size_t rest = data.size();
  for (; rest > 0x7f; rest >>= 7)
    out += static_cast<char>((rest & 0x7f) | 0x80);
  out += static_cast<char>(rest);
  out += data;
}

size_t record_length(size_t size) {
  size_t header = 2;
  for (size_t rest = size; rest > 0x7f; rest >>= 7)
    ++header;
  return header + size;
}

std::string pointer_text(uint64_t target) {
  return fmt::format("{:15}", target);
}

void append_pointer(std::string& out, uint64_t target) {
  append_record(out, RecordType::pointer, pointer_text(target));
}

std::string SizeRecord::text() const {
  return fmt::format("{:15} {:15} {:15} {:15} {:15} {:15}", size, offset, recipients, flags, content_length,
                     send_options);
}

Result<SizeRecord> SizeRecord::parse(std::string_view text) {
  SizeRecord record;
  int64_t* const columns[] = {&record.size,  &record.offset,         &record.recipients,
                              &record.flags, &record.content_length, &record.send_options};
  std::string_view rest = text;
  size_t count = 0;
  for (int64_t* column : columns) {
    auto word = next_token(rest, " ");
    if (!word) break;
    auto number = parse_int(*word);
    if (!number || *number < 0) {
      return fail(ErrorKind::invalid, fmt::format("malformed size record: {}", printable(text)));
    }
    *column = *number;
    ++count;
  }
  if (count == 0) return fail(ErrorKind::invalid, "empty size record");
  return record;
}

// --- reading ---

RecordReader::RecordReader(ByteSource& source, uint64_t offset, Options options)
    : source_(&source), options_(options), buffer_offset_(offset), position_(offset), furthest_(offset) {}

std::unexpected<Error> RecordReader::damaged(std::string text) const {
  return fail(ErrorKind::invalid, std::move(text));
}

Result<bool> RecordReader::ensure(size_t count) {
  if (position_ < buffer_offset_ || position_ > buffer_offset_ + buffer_.size()) {
    buffer_.clear();
    buffer_offset_ = position_;
  }
  size_t start = position_ - buffer_offset_;
  if (buffer_.size() - start >= count) return true;
  buffer_.erase(0, start);
  buffer_offset_ = position_;
  // In steps, so that a length that lies makes nothing grow beyond what the file has.
  while (buffer_.size() < count) {
    size_t have = buffer_.size();
    size_t step = std::max(options_.buffer, std::min(count - have, kReadStep));
    buffer_.resize(have + step);
    auto got = source_->read_at(buffer_offset_ + have, buffer_.data() + have, step);
    buffer_.resize(have + (got ? *got : 0));
    if (!got) return std::unexpected(std::move(got).error());
    if (*got == 0) break;
  }
  return buffer_.size() >= count;
}

Result<std::optional<Record>> RecordReader::read_one() {
  failed_at_ = position_;
  if (!TRY(ensure(1))) return std::nullopt;
  int type = static_cast<unsigned char>(buffer_[position_ - buffer_offset_]);
  uint64_t bits = 0;
  size_t header = 1;
  for (;;) {
    if (header > kMaxLengthBytes) return damaged(fmt::format("too many length bits, record type {}", type));
    if (!TRY(ensure(header + 1))) {
      return damaged(fmt::format("unexpected EOF reading length, record type {}", type));
    }
    uint64_t byte = static_cast<unsigned char>(buffer_[position_ - buffer_offset_ + header]);
    bits |= (byte & 0x7f) << (7 * (header - 1));
    ++header;
    if ((byte & 0x80) == 0) break;
  }
  int length = static_cast<int>(static_cast<uint32_t>(bits));
  if (length < 0 || static_cast<size_t>(length) > options_.max_record) {
    return damaged(fmt::format("illegal length {}, record type {}", length, type));
  }
  size_t whole = header + static_cast<size_t>(length);
  if (!TRY(ensure(whole))) {
    return damaged(fmt::format("unexpected EOF in data, record type {} length {}", type, length));
  }
  Record record;
  record.type = static_cast<RecordType>(type);
  record.data =
      std::string_view(buffer_).substr(position_ - buffer_offset_ + header, static_cast<size_t>(length));
  record.offset = position_;
  position_ += whole;
  read_ += whole;
  furthest_ = std::max(furthest_, position_);
  return record;
}

Result<std::optional<Record>> RecordReader::next() {
  for (;;) {
    if (ended_) return std::nullopt;
    auto record = TRY(read_one());
    if (!record) return std::nullopt;
    if (options_.skip_padding && record->is(RecordType::padding)) continue;
    if (options_.follow_pointers && record->is(RecordType::pointer)) {
      TRY(follow(record->data));
      continue;
    }
    if (options_.follow_pointers && record->is(RecordType::end)) ended_ = true;
    return record;
  }
}

void RecordReader::seek(uint64_t offset) {
  position_ = offset;
  furthest_ = std::max(furthest_, offset);
  ended_ = false;
}

Result<void> RecordReader::follow(std::string_view pointer_data) {
  auto target = parse_int(trim_left(pointer_data));
  if (!target || *target < 0) {
    return damaged(fmt::format("malformed pointer record value: {}",
                               printable(trim_left(pointer_data.substr(0, pointer_data.find('\0'))))));
  }
  if (*target == 0) return {};  // Reserved for a later change; not used.
  // Every byte belongs to one place in the order of reading, so more bytes than there are up to the furthest
  // one means that some were read twice.
  auto offset = static_cast<uint64_t>(*target);
  if (offset < position_ && read_ > furthest_) return damaged("too many reverse jump records");
  seek(offset);
  return {};
}

Result<Attribute> parse_attribute(std::string_view text) {
  std::string_view rest = trim_left(text);
  size_t name_end = 0;
  while (name_end < rest.size() && rest[name_end] != '=' && !is_space(rest[name_end]))
    ++name_end;
  if (name_end == 0) return fail(ErrorKind::invalid, "missing attribute name");
  Attribute attribute;
  attribute.name = rest.substr(0, name_end);
  rest = trim_left(rest.substr(name_end));
  if (rest.empty() || rest[0] != '=') return fail(ErrorKind::invalid, "missing '=' after attribute name");
  attribute.value = trim(rest.substr(1));
  return attribute;
}

}  // namespace postrider::queue

#include "tools/postcat/printer.h"

#include <climits>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "queue/envelope.h"

namespace postrider::postcat {

using queue::Record;
using queue::RecordType;

namespace {

/// As much of a text as C code sees of it.
std::string_view before_nul(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

/// A number at the beginning of `rest`, which loses it.
std::optional<int64_t> scan_number(std::string_view& rest) {
  rest = trim_left(rest);
  size_t end = !rest.empty() && (rest[0] == '-' || rest[0] == '+') ? 1 : 0;
  while (end < rest.size() && is_digit(rest[end]))
    ++end;
  auto number = parse_int(rest.substr(0, end));
  rest.remove_prefix(end);
  return number;
}

int64_t first_number(std::string_view text) {
  return scan_number(text).value_or(0);
}

/// "Name:" at the beginning of a line, with blanks allowed before the colon.
bool is_header(std::string_view line) {
  size_t end = 0;
  while (end < line.size() && line[end] > ' ' && line[end] < 0x7f && line[end] != ':')
    ++end;
  if (end == 0) return false;
  while (end < line.size() && (line[end] == ' ' || line[end] == '\t'))
    ++end;
  return end < line.size() && line[end] == ':';
}

bool continues_header(std::string_view line) {
  return !line.empty() && (line[0] == ' ' || line[0] == '\t');
}

}  // namespace

Printer::Printer(queue::ByteSource& source, std::string name, const Options& options, const Output& output)
    : source_(source),
      name_(std::move(name)),
      options_(options),
      output_(output),
      reader_(source, options.start,
              {.follow_pointers = !options.verbose && !options.raw,
               .skip_padding = !options.verbose && !options.raw,
               .max_record = INT_MAX}),
      printing_(options.envelope) {}

Result<void> Printer::run() {
  if (options_.start == 0) {
    if (!TRY(has_content())) return {};
    if (options_.envelope) write(fmt::format("*** ENVELOPE RECORDS {} ***\n", name_));
  }
  for (;;) {
    auto record = reader_.next();
    if (!record) {
      warn(fmt::format("{}: {}", name_, record.error().text));
      return fail(ErrorKind::invalid, "record read error");
    }
    bool more = *record && TRY(take(**record));
    flush();
    if (!more) return {};
  }
}

/// What stands for a record that turns out to be no good is not shown.
void Printer::flush() {
  output_.text(pending_);
  pending_.clear();
}

/// Whether this may be a queue file at all.
Result<bool> Printer::has_content() {
  char first = 0;
  auto got = source_.read_at(0, &first, 1);
  if (!got) {
    warn(fmt::format("close {}: {}", name_, Error::from_errno("", got.error().code).text));
    return false;
  }
  if (*got == 0) return false;
  if (queue::is_envelope_type(static_cast<RecordType>(first))) return true;
  warn(fmt::format("{}: input is not a valid queue file", name_));
  return false;
}

/// False when there is nothing more to print.
Result<bool> Printer::take(const Record& record) {
  switch (record.type) {
    case RecordType::message:
      TRY(take_message(record));
      return true;
    case RecordType::extracted:
      take_extracted(record);
      return printing_ || options_.raw;
    case RecordType::end:
      take_end(record);
      return options_.raw;
    case RecordType::pointer:
      TRY(take_pointer(record));
      return true;
    case RecordType::size:
      TRY(take_size(record));
      return true;
    case RecordType::text:
    case RecordType::text_part:
      if (!TRY(take_text(record))) return false;
      break;
    default:
      break;
  }
  if (printing_) print(record);
  return true;
}

/// The first line that is no header begins the body. False when nothing behind it is wanted.
Result<bool> Printer::take_text(const Record& record) {
  std::string_view line = before_nul(record.data);
  if (state_ != State::header || !wants_text() || printed_ == RecordType::text_part || is_header(line) ||
      continues_header(line)) {
    return true;
  }
  state_ = State::body;
  printing_ = options_.body;
  if (printing_ || options_.raw) return true;
  if (options_.envelope) TRY(skip_content());
  return options_.envelope;
}

Result<void> Printer::take_message(const Record& record) {
  if (state_ != State::envelope) warn(name_ + ": out-of-order message content marker");
  if (options_.envelope) print_marker(record, "MESSAGE CONTENTS");
  if (!wants_text()) TRY(skip_content());
  state_ = State::header;
  printing_ = options_.header;
  return {};
}

void Printer::take_extracted(const Record& record) {
  if (state_ == State::envelope) warn(name_ + ": out-of-order extracted segment marker");
  if (printing_ && printed_ == RecordType::text_part) write("\n");
  if (options_.envelope) print_marker(record, "HEADER EXTRACTED");
  state_ = State::envelope;
  printing_ = options_.envelope;
}

void Printer::take_end(const Record& record) {
  if (state_ != State::envelope) warn(name_ + ": out-of-order message end marker");
  if (options_.envelope) print_marker(record, "MESSAGE FILE END");
}

Result<void> Printer::take_pointer(const Record& record) {
  if (printing_) print_named(record, before_nul(record.data));
  flush();
  if (options_.raw) return {};
  auto followed = reader_.follow(record.data);
  if (followed) return {};
  warn(fmt::format("{}: {}", name_, followed.error().text));
  return fail(ErrorKind::invalid, "bad pointer record, or input is not seekable");
}

Result<void> Printer::take_size(const Record& record) {
  if (printing_) print_named(record, before_nul(record.data));
  flush();
  if (content_size_ >= 0 || content_offset_ >= 0) {
    warn("file contains multiple size records");
    return {};
  }
  std::string_view rest = record.data;
  auto size = scan_number(rest);
  auto offset = size ? scan_number(rest) : std::nullopt;
  content_size_ = size.value_or(-1);
  content_offset_ = offset.value_or(-1);
  if (content_size_ <= 0 || content_offset_ <= 0) {
    warn(fmt::format("invalid size record: {}", printable(before_nul(record.data).substr(0, 100))));
  }
  if (options_.envelope) return {};
  TRY(seek(content_offset_));
  state_ = State::header;
  printing_ = options_.header;
  return {};
}

/// To the record behind the content, when a size record has said where that is.
Result<void> Printer::skip_content() {
  if (content_offset_ < 0 || content_size_ < 0) return {};
  int64_t end = 0;
  if (__builtin_add_overflow(content_offset_, content_size_, &end)) end = -1;
  return seek(end);
}

Result<void> Printer::seek(int64_t offset) {
  if (offset < 0) return fail(ErrorKind::invalid, "seek error: Invalid argument");
  reader_.seek(static_cast<uint64_t>(offset));
  return {};
}

// --- printing ---

void Printer::print(const Record& record) {
  print_prefix(record);
  printed_ = record.type;
  std::string name(queue::record_name(record.type));
  switch (record.type) {
    case RecordType::arrival_time:
    case RecordType::warn_time:
      write(fmt::format("{}: {}\n", name, asctime_date(first_number(record.data))));
      break;
    case RecordType::text_part:  // In an envelope the same byte is the content filter.
      print_text_part(record);
      break;
    case RecordType::text:
      if (options_.verbose) write(name + ": ");
      write(record.data);
      write("\n");
      break;
    case RecordType::padding:
      write(name + ": ");
      write(record.data);
      write("\n");
      break;
    case RecordType::attribute:
      print_attribute(record);
      break;
    default:
      write(fmt::format("{}: {}\n", name, before_nul(record.data)));
      break;
  }
}

void Printer::print_text_part(const Record& record) {
  bool in_envelope = state_ == State::envelope;
  if (in_envelope) {
    write(fmt::format("{}: ", queue::record_name(record.type)));
  } else if (options_.verbose) {
    write("unterminated_text: ");
  }
  write(record.data);
  if (!in_envelope && !options_.verbose && !options_.offset) return;
  write("\n");
  printed_.reset();
}

void Printer::print_attribute(const Record& record) {
  auto attribute = queue::parse_attribute(before_nul(record.data));
  if (!attribute) {
    warn(fmt::format("{}: malformed attribute: {}: {}", name_, attribute.error().text,
                     printable(before_nul(record.data).substr(0, 100))));
  } else if (attribute->name == queue::attribute::kCreateTime) {
    write(fmt::format("{}: {}\n", attribute->name, asctime_date(first_number(attribute->value))));
  } else {
    write(fmt::format("{}: {}={}\n", queue::record_name(record.type), attribute->name, attribute->value));
  }
}

void Printer::print_named(const Record& record, std::string_view value) {
  print_prefix(record);
  write(fmt::format("{}: {}\n", queue::record_name(record.type), value));
}

void Printer::print_marker(const Record& record, std::string_view text) {
  print_prefix(record);
  write(fmt::format("*** {} {} ***\n", text, name_));
}

void Printer::print_prefix(const Record& record) {
  if (options_.offset) write(fmt::format("{:9} ", record.offset));
  if (options_.decimal_type) write(fmt::format("{:3} ", static_cast<int>(record.type)));
}

void Printer::write(std::string_view text) {
  if (!options_.file_name) {
    pending_ += text;
    return;
  }
  while (!text.empty()) {
    if (std::exchange(at_line_start_, false)) pending_ += name_ + ": ";
    size_t end = text.find('\n');
    at_line_start_ = end != std::string_view::npos;
    pending_ += text.substr(0, at_line_start_ ? end + 1 : end);
    text.remove_prefix(at_line_start_ ? end + 1 : text.size());
  }
}

void Printer::warn(std::string_view text) {
  output_.warning(text);
}

}  // namespace postrider::postcat

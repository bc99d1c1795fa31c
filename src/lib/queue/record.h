// The records that a queue file consists of: a type byte, a length in base 128 (least significant group
// first, the high bit set in all bytes but the last), and that many bytes of data. docs/queue-file.md has the
// format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/files.h"

namespace postrider::queue {

/// Record types as they stand in the file. Any other byte may turn up too.
enum class RecordType : unsigned char {
  size = 'C',          ///< First record: sizes and counts in fixed columns (SizeRecord).
  arrival_time = 'T',  ///< "seconds microseconds" of the arrival.
  create_time = 'c',   ///< Historical; today the attribute create_time.
  full_name = 'F',     ///< Full name of a local sender.
  inspector = 'I',     ///< Historical: transport of a content inspector.
  filter = 'L',        ///< In an envelope: transport:nexthop of the content filter.
  sender = 'S',
  done = 'D',  ///< A recipient that needs no further delivery.
  recipient = 'R',
  original_recipient = 'O',  ///< Of the next recipient: the address before rewriting.
  canceled = '/',            ///< A recipient taken back before the message was complete.
  warn_time = 'W',           ///< When to tell the sender of a delay; -1 when that is done.
  attribute = 'A',           ///< name=value.
  killed = 'K',              ///< A record that no longer counts.
  redirect = '>',            ///< The recipient that replaces all others.
  flags = 'f',               ///< cleanup's processing flags.
  message = 'M',             ///< The message content follows.
  text_part = 'L',           ///< In content: the beginning of a long line; the line goes on.
  text = 'N',                ///< In content: a line, or the last part of one.
  padding = 'w',             ///< Bytes without meaning.
  extracted = 'X',           ///< The content ends; information extracted from it follows.
  return_receipt = 'r',
  errors_to = 'e',
  priority = 'P',
  pointer = 'p',     ///< Reading goes on at this offset; 0: at the next record.
  verp = 'V',        ///< Delimiters of variable envelope return paths.
  dsn_return = '<',  ///< Historical, today the attribute ret_flags; so are the next three.
  dsn_envelope_id = 'i',
  dsn_original = 'o',
  dsn_notify = 'n',
  end = 'E',  ///< Last record.
};

/// The name that postcat prints, as "named_attribute"; "unknown_record_type" for a byte that is no type.
std::string_view record_name(RecordType type);

/// Whether a queue file may begin with this type.
bool is_envelope_type(RecordType type);

/// Longest record that is read: no sender makes longer ones, and memory is bounded.
inline constexpr size_t kMaxRecord = 1024 * 1024;

void append_record(std::string& out, RecordType type, std::string_view data);
/// The bytes that append_record() adds for `size` bytes of data.
size_t record_length(size_t size);
/// Appends a pointer record whose target can be changed in place: the offset stands in 15 columns.
void append_pointer(std::string& out, uint64_t target);
/// The data of a pointer record.
std::string pointer_text(uint64_t target);

/// The 'C' record: six numbers in 15 columns each, so that it can be written first and filled in last. Files
/// of old versions have fewer.
struct SizeRecord {
  int64_t size = 0;            ///< Bytes of content as stored, record headers included: from 'M' to 'X'.
  int64_t offset = 0;          ///< Of the first content record.
  int64_t recipients = 0;      ///< How many recipients there are, done or not.
  int64_t flags = 0;           ///< For the queue manager (kMixedRecipients, kNotifyShift).
  int64_t content_length = 0;  ///< As `size`, but of the content that edits have left; 0 in old files.
  int64_t send_options = 0;    ///< kSmtputf8Requested and so on.

  std::string text() const;
  static Result<SizeRecord> parse(std::string_view text);
};

/// SizeRecord::flags: recipients stand between other records, so all records must be seen for the latter.
inline constexpr int64_t kMixedRecipients = 1;
/// SizeRecord::flags: the NOTIFY values of all recipients (kNotifyNever and so on) or-ed, shifted by this.
inline constexpr int kNotifyShift = 1;

/// SizeRecord::send_options; bits beyond kSmtputf8Recipient since Postfix 3.10.
inline constexpr int64_t kSmtputf8Requested = 1;
inline constexpr int64_t kSmtputf8Header = 2;
inline constexpr int64_t kSmtputf8Sender = 4;
inline constexpr int64_t kSmtputf8Recipient = 8;
inline constexpr int64_t kTlsNotRequired = 16;  ///< "TLS-Required: no" (RFC 8689).
inline constexpr int64_t kRequireTls = 32;      ///< REQUIRETLS was requested.

struct Record {
  RecordType type{};
  std::string_view data;  ///< Valid until the next call on the reader.
  uint64_t offset = 0;    ///< Of the type byte.

  bool is(RecordType t) const { return type == t; }
};

/// Reads records one after the other, in bounded memory. An error's text is a reason without the file's name;
/// failed_at() has the offset.
class RecordReader {
 public:
  struct Options {
    bool follow_pointers = true;  ///< Jump where pointer records say, and do not return them.
    bool skip_padding = true;     ///< Do not return padding.
    size_t max_record = kMaxRecord;
    size_t buffer = 8 * 1024;  ///< Bytes read at a time.
  };

  /// `source` must outlive the reader.
  explicit RecordReader(ByteSource& source, uint64_t offset = 0) : RecordReader(source, offset, Options()) {}
  RecordReader(ByteSource& source, uint64_t offset, Options options);

  /// The next record; nothing at the end of the file, or when `end` was the last record and pointers are
  /// followed.
  Result<std::optional<Record>> next();

  /// Where next() will read.
  uint64_t position() const { return position_; }
  /// Goes on reading elsewhere; backwards only as follow() allows.
  void seek(uint64_t offset);
  /// Does what a pointer record asks for. All jumps together never lead over the same bytes twice: a loop is
  /// an error.
  Result<void> follow(std::string_view pointer_data);
  /// The offset of the record that the last error is about.
  uint64_t failed_at() const { return failed_at_; }

 private:
  Result<bool> ensure(size_t count);
  Result<std::optional<Record>> read_one();
  std::unexpected<Error> damaged(std::string text) const;

  ByteSource* source_;
  Options options_;
  std::string buffer_;
  uint64_t buffer_offset_ = 0;  // Of buffer_[0] in the file.
  uint64_t position_;
  uint64_t furthest_ = 0;  // End of the furthest record that was read.
  uint64_t read_ = 0;      // Bytes of all records that were read.
  uint64_t failed_at_ = 0;
  bool ended_ = false;
};

/// Splits name=value, dropping white space around both; the error text is the reason.
struct Attribute {
  std::string_view name, value;
};
Result<Attribute> parse_attribute(std::string_view text);

}  // namespace postrider::queue

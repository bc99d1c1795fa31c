#include "dsn/original.h"

#include "base/text.h"
#include "mail/header.h"
#include "queue/record.h"

namespace postrider::dsn {

using queue::RecordType;

namespace {

/// A Message-Id longer than this is none that a mail program wrote.
constexpr size_t kMaxMessageId = 1000;
/// Header lines that are looked at for the Message-Id.
constexpr int kMaxHeaderLines = 5000;

bool belongs_to_header(std::string_view line) {
  return !line.empty() && (line.front() == ' ' || line.front() == '\t' || mail::header_name_length(line) > 0);
}

/// The content, record by record.
class Content {
 public:
  Content(queue::File& file, uint64_t offset) : reader_(file, offset) {}

  struct Piece {
    std::string_view text;
    bool begins_line, ends_line;
  };
  /// Nothing at the end, or where the file makes no sense any more.
  std::optional<Piece> next() {
    auto record = reader_.next();
    if (!record || !*record) return std::nullopt;
    bool text = (*record)->is(RecordType::text);
    if (!text && !(*record)->is(RecordType::text_part)) return std::nullopt;
    return Piece{(*record)->data, std::exchange(at_line_start_, text), text};
  }

 private:
  queue::RecordReader reader_;
  bool at_line_start_ = true;
};

}  // namespace

OriginalMessage::OriginalMessage(std::shared_ptr<queue::File> file) : file_(std::move(file)) {
  if (file_) read_envelope();
}

void OriginalMessage::read_envelope() {
  queue::RecordReader reader(*file_);
  for (;;) {
    auto record = reader.next();
    if (!record || !*record) return;
    const queue::Record& r = **record;
    if (r.is(RecordType::size)) {
      if (auto size = queue::SizeRecord::parse(r.data)) {
        size_ = size->size;
        if (size->offset > 0) content_ = static_cast<uint64_t>(size->offset);
      }
    } else if (r.is(RecordType::arrival_time)) {
      arrival_ = parse_int(r.data.substr(0, r.data.find(' '))).value_or(0);
    } else if (r.is(RecordType::sender)) {
      sender_ = r.data;
      if (content_ != 0) return;
    } else if (r.is(RecordType::message)) {
      // cleanup is still writing the file.
      content_ = reader.position();
      return;
    }
  }
}

std::string OriginalMessage::message_id() const {
  if (content_ == 0) return {};
  Content content(*file_, content_);
  std::string value;
  bool inside = false;
  for (int lines = 0; lines < kMaxHeaderLines;) {
    auto piece = content.next();
    if (!piece) break;
    if (piece->begins_line) {
      ++lines;
      bool continues = !piece->text.empty() && (piece->text.front() == ' ' || piece->text.front() == '\t');
      if (inside && !continues) break;
      if (!belongs_to_header(piece->text)) break;
      if (!continues) {
        const mail::HeaderInfo* header = mail::find_header(piece->text);
        inside = header != nullptr && header->type == mail::HeaderType::message_id;
        if (inside) value = mail::header_value(piece->text);
      } else if (inside) {
        value += ' ';
        value += trim(piece->text);
      }
    } else if (inside) {
      value += piece->text;
    }
    if (value.size() > kMaxMessageId) return {};
  }
  return printable(trim(value));
}

void OriginalMessage::copy(LineSink& out, bool header_only) const {
  if (content_ == 0) return;
  Content content(*file_, content_);
  bool open = false;
  while (auto piece = content.next()) {
    if (header_only && piece->begins_line && !belongs_to_header(piece->text)) break;
    open = !piece->ends_line;
    open ? out.line_part(piece->text) : out.line(piece->text);
  }
  if (open) out.line("");
}

}  // namespace postrider::dsn

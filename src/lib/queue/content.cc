#include "queue/content.h"

#include <fmt/format.h>

namespace postrider::queue {

namespace {
constexpr size_t kReadSize = 16 * 1024;
}

ContentReader::ContentReader(ByteSource& source, const SizeRecord& size)
    : reader_(source, static_cast<uint64_t>(size.offset), {.buffer = kReadSize}) {}

Result<std::optional<ContentPiece>> ContentReader::next() {
  if (ended_) return std::nullopt;
  auto failed = [&](std::string_view reason) {
    return fail(ErrorKind::invalid, fmt::format("at offset {}: {}", reader_.failed_at(), reason));
  };
  auto record = reader_.next();
  if (!record && record.error().kind == ErrorKind::invalid) return failed(record.error().text);
  if (!record) return std::unexpected(std::move(record).error());
  if (!*record) return failed("the file ends in the content");
  switch ((*record)->type) {
    case RecordType::text:
      in_line_ = false;
      return ContentPiece{(*record)->data, true};
    case RecordType::text_part:
      in_line_ = true;
      return ContentPiece{(*record)->data, false};
    case RecordType::extracted:
      ended_ = true;
      if (!in_line_) return std::nullopt;
      in_line_ = false;
      return ContentPiece{{}, true};
    default:
      return fail(ErrorKind::invalid,
                  fmt::format("bad record type: {} in message content", static_cast<int>((*record)->type)));
  }
}

Result<bool> ContentReader::read_text(std::string& out, size_t enough, std::string_view line_end) {
  bool any = false;
  while (out.size() < enough) {
    auto piece = TRY(next());
    if (!piece) break;
    any = true;
    out += piece->text;
    if (piece->ends_line) out += line_end;
  }
  return any;
}

}  // namespace postrider::queue

// The message itself, read back from a queue file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/record.h"

namespace postrider::queue {

/// A line of the message, or a part of one that is too long for a record.
struct ContentPiece {
  std::string_view text;  ///< Without a line end; valid until the next call on the reader.
  bool ends_line = true;
};

/// Reads the content of a message, header and body, piece by piece.
class ContentReader {
 public:
  /// `source` must outlive the reader.
  ContentReader(ByteSource& source, const SizeRecord& size);

  /// The next piece; nothing at the end of the content. ErrorKind::invalid when the file is damaged: the text
  /// says where and why.
  Result<std::optional<ContentPiece>> next();

  /// Appends pieces to `out`, with `line_end` behind each line, until it has at least `enough` bytes. False
  /// when the content ended and nothing was added. A last line without an end gets one.
  Result<bool> read_text(std::string& out, size_t enough, std::string_view line_end);

 private:
  RecordReader reader_;
  bool in_line_ = false;
  bool ended_ = false;
};

}  // namespace postrider::queue

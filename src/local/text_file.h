// Reading forward files and :include: files.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace postrider::local {

/// Lines of a file that is open; longer ones come in pieces.
class TextFile {
 public:
  /// `max_line`: bytes of a piece.
  TextFile(sys::Fd fd, size_t max_line) : fd_(std::move(fd)), max_line_(max_line) {}

  /// The next line or piece, with its line end, which an open quote takes in; nothing at the end of the file.
  Result<std::optional<std::string>> next();

 private:
  sys::Fd fd_;
  size_t max_line_;
  std::string buffer_;
  size_t used_ = 0;
  bool at_end_ = false;
};

}  // namespace postrider::local

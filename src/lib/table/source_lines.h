// The source of a table, read as it goes.
#pragma once

#include <optional>
#include <string>

#include "base/logical_lines.h"
#include "base/result.h"

namespace postrider::table {

/// LogicalLines of a file that may be larger than what one wants in memory.
class SourceLines {
 public:
  /// `fd` stays the caller's.
  explicit SourceLines(int fd) : fd_(fd) {}
  SourceLines(const SourceLines&) = delete;
  SourceLines& operator=(const SourceLines&) = delete;

  /// Nothing at the end. Offsets in the result have no meaning.
  Result<std::optional<LogicalLine>> next();

  /// The longest logical line.
  static constexpr size_t kMaxLine = size_t{16} << 20;

 private:
  /// Makes lines_ walk over the next part; false at the end.
  Result<bool> load();

  int fd_;
  bool at_end_ = false;
  std::string buffer_;
  size_t part_ = 0;  // The length of the part of buffer_ that lines_ walks over.
  int before_ = 0;   // Physical lines before that part.
  std::optional<LogicalLines> lines_;
};

}  // namespace postrider::table

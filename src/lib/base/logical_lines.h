// Logical lines of configuration files: comments, blank lines and continuation lines as Postfix has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider {

/// A line that begins with text starts a logical line; lines that begin with white space continue it. Lines
/// that are empty, blank or whose first text is '#' are left out, also in the middle of a logical line.
struct LogicalLine {
  std::string text;       ///< Without line ends; the white space that begins a continuation line is kept.
  int first = 0;          ///< Line number, from 1, where it begins...
  int last = 0;           ///< ...and where its last text stands.
  size_t begin = 0;       ///< Offset of its first byte...
  size_t end = 0;         ///< ...and behind the line end of its last line, so that it can be replaced.
  bool indented = false;  ///< It begins with white space: there was no line to continue.
};

class LogicalLines {
 public:
  /// `text` must outlive the object.
  explicit LogicalLines(std::string_view text) : text_(text) {}
  /// Nothing at the end. A NUL byte ends the text of its logical line.
  std::optional<LogicalLine> next();

 private:
  std::string_view physical(size_t& after) const;

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 0;
};

}  // namespace postrider

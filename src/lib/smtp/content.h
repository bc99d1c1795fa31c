// Message content on its way through DATA (RFC 5321 sections 4.5.2 and 4.5.3.1.6).
#pragma once

#include <string>
#include <string_view>

namespace postrider::smtp {

/// Doubles dots at the start of lines, ends lines with CRLF, and breaks lines that are longer than the limit
/// with CRLF and a blank.
class ContentEncoder {
 public:
  /// `line_limit` without the CRLF and without a doubled dot; 0: none.
  explicit ContentEncoder(size_t line_limit) : limit_(line_limit), room_(line_limit) {}
  /// Adds a piece of content to `out`; `ends_line` when the line ends with it. The pieces have no line ends.
  void add(std::string_view piece, bool ends_line, std::string& out);
  /// Ends the last line if it has no end yet.
  void finish(std::string& out);
  /// Whether a line had to be broken.
  bool broke_lines() const { return broke_lines_; }

 private:
  size_t limit_;
  size_t room_;  // What still fits on the line.
  bool at_start_ = true;
  bool broke_lines_ = false;
};

}  // namespace postrider::smtp

#include "base/logical_lines.h"

#include <algorithm>

#include "base/text.h"

namespace postrider {

/// The physical line at at_, without its line end; `after` is the offset of the next one.
std::string_view LogicalLines::physical(size_t& after) const {
  size_t end = std::min(text_.find('\n', at_), text_.size());
  after = std::min(end + 1, text_.size());
  return text_.substr(at_, end - at_);
}

std::optional<LogicalLine> LogicalLines::next() {
  LogicalLine logical;
  while (at_ < text_.size()) {
    size_t after;
    std::string_view line = physical(after);
    std::string_view content = trim_left(line);
    bool text = !content.empty() && content[0] != '#';
    // Comments and blank lines do not end a logical line, only the text of another one does.
    if (logical.first > 0 && text && content.size() == line.size()) break;
    ++line_;
    if (text) {
      if (logical.first == 0) {
        logical.first = line_;
        logical.begin = at_;
        logical.indented = content.size() != line.size();
      }
      logical.last = line_;
      logical.end = after;
      logical.text += line;
    }
    at_ = after;
  }
  if (logical.first == 0) return std::nullopt;
  logical.text.resize(std::min(logical.text.find('\0'), logical.text.size()));
  return logical;
}

}  // namespace postrider

#include "table/source_lines.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "sys/fd.h"

namespace postrider::table {

namespace {

/// Where the last logical line begins that `text` shows the beginning of; 0 when there is no other before it.
size_t last_beginning(std::string_view text) {
  for (size_t at = text.size(); at-- > 1;) {
    if (text[at - 1] == '\n' && !is_space(text[at]) && text[at] != '#') return at;
  }
  return 0;
}

}  // namespace

Result<bool> SourceLines::load() {
  constexpr size_t kChunk = 256 * 1024;
  before_ +=
      static_cast<int>(std::count(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(part_), '\n'));
  buffer_.erase(0, part_);
  part_ = 0;
  while (part_ == 0 && !at_end_) {
    if (buffer_.size() > kMaxLine)
      return fail(ErrorKind::limit, fmt::format("line {} is too long", before_ + 1));
    size_t had = buffer_.size();
    buffer_.resize(had + kChunk);
    auto count = sys::read_some(fd_, buffer_.data() + had, kChunk);
    buffer_.resize(had + count.value_or(0));
    if (!count) return std::unexpected(std::move(count).error());
    at_end_ = *count == 0;
    part_ = at_end_ ? buffer_.size() : last_beginning(buffer_);
  }
  lines_.emplace(std::string_view(buffer_).substr(0, part_));
  return part_ > 0;
}

Result<std::optional<LogicalLine>> SourceLines::next() {
  for (;;) {
    if (lines_) {
      if (auto line = lines_->next()) {
        line->first += before_;
        line->last += before_;
        return line;
      }
    }
    if (!TRY(load())) return std::nullopt;
  }
}

}  // namespace postrider::table

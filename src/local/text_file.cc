#include "local/text_file.h"

#include <algorithm>
#include <array>

namespace postrider::local {

Result<std::optional<std::string>> TextFile::next() {
  for (;;) {
    size_t end = buffer_.find('\n', used_);
    if (end != std::string::npos || buffer_.size() - used_ >= max_line_ || at_end_) {
      if (end == std::string::npos && at_end_ && used_ == buffer_.size()) return std::nullopt;
      size_t size = std::min(end == std::string::npos ? buffer_.size() - used_ : end - used_, max_line_);
      if (used_ + size == end) ++size;
      std::string line = buffer_.substr(used_, size);
      used_ += size;
      return line;
    }
    buffer_.erase(0, used_);
    used_ = 0;
    std::array<char, 4096> piece;
    size_t count = TRY(sys::read_some(fd_.get(), piece.data(), piece.size()));
    if (count == 0) at_end_ = true;
    buffer_.append(piece.data(), count);
  }
}

}  // namespace postrider::local

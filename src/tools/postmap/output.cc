#include "tools/postmap/output.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/encoding.h"
#include "sys/fd.h"

namespace postrider::postmap {

namespace {
constexpr size_t kChunk = 64 * 1024;
}

void Output::key_and_value(std::string_view key, std::string_view value) {
  if (options_.json) {
    fmt::format_to(std::back_inserter(buffer_), "{{{}: {}}}\n", json_quoted(key), json_quoted(value));
    return;
  }
  buffer_ += key;
  buffer_ += options_.command == Command::postalias ? ":\t" : "\t";
  buffer_ += value;
  buffer_ += '\n';
}

void Output::value(std::string_view value) {
  buffer_ += value;
  buffer_ += '\n';
}

Result<void> Output::flush() {
  if (buffer_.empty()) return {};
  TRY(sys::write_all(STDOUT_FILENO, buffer_));
  buffer_.clear();
  return {};
}

Result<void> Output::flush_full(size_t limit) {
  if (buffer_.size() < limit) return {};
  return flush();
}

Result<std::optional<std::string_view>> Input::line() {
  size_t searched = begin_;
  size_t end;
  while ((end = buffer_.find('\n', searched)) == std::string::npos && !at_end_) {
    if (buffer_.size() - begin_ > kMaxLine) return fail(ErrorKind::limit, "standard input: line is too long");
    if (before_read_) TRY(before_read_());
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + kChunk);
    auto count = sys::read_some(STDIN_FILENO, buffer_.data() + searched, kChunk);
    buffer_.resize(searched + count.value_or(0));
    if (!count) return std::unexpected(std::move(count).error());
    at_end_ = *count == 0;
  }
  if (begin_ == buffer_.size()) return std::nullopt;
  std::string_view text =
      std::string_view(buffer_).substr(begin_, end == std::string::npos ? end : end - begin_);
  begin_ = end == std::string::npos ? buffer_.size() : end + 1;
  return text;
}

}  // namespace postrider::postmap

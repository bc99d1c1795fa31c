#include "tools/sendmail/input.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sys/fd.h"

namespace postrider::sendmail {

namespace {

constexpr size_t kReadSize = 64 * 1024;

bool is_mbox_separator(std::string_view line) {
  size_t quotes = std::min(line.find_first_not_of('>'), line.size());
  return line.substr(quotes).starts_with("From ");
}

}  // namespace

std::optional<LineEndings> parse_line_endings(std::string_view text) {
  if (equals_ignore_case(text, "always")) return LineEndings::always;
  if (equals_ignore_case(text, "strict")) return LineEndings::strict;
  if (equals_ignore_case(text, "never")) return LineEndings::never;
  return std::nullopt;
}

Result<bool> Input::fill() {
  if (at_end_) return false;
  buffer_.erase(0, used_);
  used_ = 0;
  size_t have = buffer_.size();
  buffer_.resize(have + kReadSize);
  auto got = sys::read_some(fd_, buffer_.data() + have, kReadSize);
  buffer_.resize(have + (got ? *got : 0));
  if (!got) return std::unexpected(std::move(got).error());
  at_end_ = *got == 0;
  return !at_end_;
}

Result<std::optional<Piece>> Input::read_piece() {
  for (;;) {
    std::string_view rest = std::string_view(buffer_).substr(used_);
    // The line end must be among the bytes that a record may have.
    std::string_view window = rest.substr(0, options_.line_limit);
    size_t end = window.find('\n');
    if (end != window.npos) {
      used_ += end + 1;
      return Piece{window.substr(0, end), true};
    }
    if (window.size() == options_.line_limit) {
      used_ += window.size();
      return Piece{window, false};
    }
    // The buffer may move: what was looked at above is looked at again.
    if (TRY(fill())) continue;
    std::string_view last = std::string_view(buffer_).substr(used_);
    if (last.empty()) return std::nullopt;
    used_ = buffer_.size();
    return Piece{last, false};
  }
}

std::string_view Input::without_carriage_returns(std::string_view line) {
  if (std::exchange(first_line_, false) && options_.line_endings == LineEndings::strict) {
    options_.line_endings = line.ends_with('\r') ? LineEndings::always : LineEndings::never;
  }
  if (options_.line_endings != LineEndings::always) return line;
  while (line.ends_with('\r'))
    line.remove_suffix(1);
  return line;
}

Result<std::optional<Piece>> Input::next() {
  for (;;) {
    auto piece = TRY(read_piece());
    if (!piece) return std::nullopt;
    if (piece->ends_line) piece->text = without_carriage_returns(piece->text);
    if (at_start_) {
      if (piece->ends_line && is_mbox_separator(piece->text)) continue;
      at_start_ = false;
    }
    bool begins = std::exchange(line_begins_, piece->ends_line);
    if (options_.dot_ends && begins && piece->text == ".") {
      at_end_ = true;
      buffer_.clear();
      used_ = 0;
      return std::nullopt;
    }
    return piece;
  }
}

}  // namespace postrider::sendmail

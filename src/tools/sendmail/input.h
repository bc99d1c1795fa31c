// A message on standard input, as content records.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::sendmail {

/// What becomes of carriage returns at the end of lines (sendmail_fix_line_endings).
enum class LineEndings : unsigned char {
  always,  ///< They go.
  strict,  ///< They go when the first line has one.
  never,
};
std::optional<LineEndings> parse_line_endings(std::string_view text);

/// A line, or a part of one that is too long for a record.
struct Piece {
  std::string_view text;  ///< Without its end; valid until the next call.
  bool ends_line = true;
};

class Input {
 public:
  struct Options {
    size_t line_limit = 2048;  ///< line_length_limit
    LineEndings line_endings = LineEndings::always;
    bool dot_ends = true;  ///< A line of one dot is the end of the message.
  };

  /// Reads from a blocking descriptor.
  Input(int fd, Options options) : fd_(fd), options_(options) {}

  /// The next piece; nothing at the end. "From " lines in front of the header, with any number of ">" before
  /// them, are left out.
  Result<std::optional<Piece>> next();

 private:
  Result<std::optional<Piece>> read_piece();
  Result<bool> fill();
  std::string_view without_carriage_returns(std::string_view line);

  int fd_;
  Options options_;
  std::string buffer_;
  size_t used_ = 0;
  bool at_end_ = false;
  bool at_start_ = true;     // Nothing but "From " lines so far.
  bool first_line_ = true;   // Decides under LineEndings::strict.
  bool line_begins_ = true;  // The previous piece ended its line.
};

}  // namespace postrider::sendmail

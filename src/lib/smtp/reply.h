// Replies of SMTP and LMTP servers (RFC 5321 section 4.2, RFC 2034).
#pragma once

#include <string>
#include <string_view>

namespace postrider::smtp {

struct Reply {
  int code = 0;
  /// The enhanced status code, from the last line; "N.0.0" when that has none which fits the reply code, and
  /// "5.5.0" (a protocol error) for codes that have none: a caller that rejects such a reply needs one.
  std::string dsn = "5.5.0";
  /// The lines with their codes, joined by newlines, printable.
  std::string text;

  int first_digit() const { return code / 100; }
  bool positive() const { return first_digit() == 2; }
  /// The text in one line, as log lines and bounce messages have it.
  std::string one_line() const;
};

/// Puts a reply together from lines.
///
/// Lines without a reply code become part of the text. They cannot simply be skipped: with pipelining,
/// everything that follows would be taken for the reply to another command.
class ReplyParser {
 public:
  enum class Step : unsigned char {
    more,      ///< A line of a longer reply.
    complete,  ///< take() has it.
    garbage,   ///< Not a reply line; more has to follow.
    endless,   ///< More lines than any reply has.
  };

  /// About `max_text` bytes of text are kept (one line more); what is beyond is dropped, codes are not.
  explicit ReplyParser(size_t max_text) : max_text_(max_text) {}
  /// A line without its end. Printable already, so that it can be logged.
  Step add(std::string_view line);
  /// Whether the last add() was the first whose text was dropped.
  bool overflowed() const { return overflow_ == Overflow::now; }
  const std::string& text() const { return reply_.text; }
  /// The reply; the parser is empty again.
  Reply take();

 private:
  enum class Overflow : unsigned char { no, now, before };
  size_t max_text_;
  size_t lines_ = 0;
  Overflow overflow_ = Overflow::no;
  Reply reply_;
};

}  // namespace postrider::smtp

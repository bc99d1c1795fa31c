#include "smtp/reply.h"

#include <algorithm>

#include "base/text.h"
#include "mail/dsn.h"

namespace postrider::smtp {

namespace {

constexpr size_t kMaxLines = 1000;
constexpr size_t kCodeLength = 3;

size_t digits(std::string_view text) {
  return static_cast<size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

/// The enhanced status code of a complete reply's last line.
std::string enhanced_code(std::string_view line) {
  char first = line[0];
  if (first != '2' && first != '4' && first != '5') return "5.5.0";
  std::string_view rest = line.substr(std::min(line.size(), kCodeLength + 1));
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  auto code = mail::StatusCode::parse_prefix(rest);
  if (code && code->status_class() == first) return std::string(code->text());
  return std::string(1, first) + ".0.0";
}

}  // namespace

std::string Reply::one_line() const {
  std::string out = text;
  std::ranges::replace(out, '\n', ' ');
  return out;
}

ReplyParser::Step ReplyParser::add(std::string_view line) {
  if (++lines_ > kMaxLines) return Step::endless;
  if (reply_.text.size() < max_text_) {
    if (!reply_.text.empty()) reply_.text += '\n';
    reply_.text += line;
  } else {
    overflow_ = overflow_ == Overflow::no ? Overflow::now : Overflow::before;
  }
  if (digits(line) != kCodeLength) return Step::garbage;
  char mark = line.size() > kCodeLength ? line[kCodeLength] : ' ';
  if (mark == '-') return Step::more;
  if (mark != ' ') return Step::garbage;
  reply_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  reply_.dsn = enhanced_code(line);
  return Step::complete;
}

Reply ReplyParser::take() {
  Reply out = std::move(reply_);
  reply_ = {};
  lines_ = 0;
  overflow_ = Overflow::no;
  return out;
}

}  // namespace postrider::smtp

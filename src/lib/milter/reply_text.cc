#include "milter/reply_text.h"

#include "base/text.h"
#include "mail/dsn.h"

namespace postrider::milter {

Result<std::string> parse_reply(std::string_view text) {
  auto malformed = [&] { return fail(ErrorKind::invalid, printable(text)); };
  if (text.size() < 3 || (text[0] != '4' && text[0] != '5') || !is_all_digits(text.substr(0, 3)))
    return malformed();
  if (text.size() > 3) {
    if (text[3] != ' ' && text[3] != '-') return malformed();
    auto status = mail::StatusCode::parse_prefix(text.substr(4));
    if (status && text[4] != text[0]) return malformed();
  }
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '%' && i + 1 < text.size() && text[i + 1] == '%') ++i;
  }
  return out;
}

std::vector<std::string> reply_lines(std::string_view reply) {
  std::vector<std::string> out;
  for (std::string_view line : split_each(reply, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.push_back(printable(line));
  }
  while (out.size() > 1 && out.back().empty())
    out.pop_back();
  for (size_t i = 0; i + 1 < out.size(); ++i) {
    if (out[i].size() > 3 && out[i][3] == ' ') out[i][3] = '-';
  }
  return out;
}

}  // namespace postrider::milter

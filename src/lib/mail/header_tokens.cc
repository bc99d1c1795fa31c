#include "mail/header_tokens.h"

#include <algorithm>

#include "base/text.h"

namespace postrider::mail {

namespace {

constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";

bool is_gap(char c) {
  return is_space(c) || is_control(c);
}
bool is_special(char c) {
  return kSpecials.find(c) != std::string_view::npos;
}

void skip_comment(std::string_view& rest) {
  size_t depth = 0, i = 0;
  while (i < rest.size()) {
    char c = rest[i++];
    if (c == '\\') {
      i = std::min(i + 1, rest.size());
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      break;
    }
  }
  rest.remove_prefix(i);
}

std::string take_quoted(std::string_view& rest) {
  std::string out;
  size_t i = 1;
  while (i < rest.size() && rest[i] != '"') {
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    // Line ends are folding.
    if (rest[i] != '\n' && rest[i] != '\r') out += rest[i];
    ++i;
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return out;
}

HeaderToken take_token(std::string_view& rest) {
  char c = rest.front();
  if (c == '"') return {.kind = HeaderToken::Kind::quoted, .text = take_quoted(rest)};
  size_t length = 1;
  if (!is_special(c)) {
    while (length < rest.size() && !is_gap(rest[length]) && !is_special(rest[length]))
      ++length;
  }
  std::string text(rest.substr(0, length));
  rest.remove_prefix(length);
  return {.kind = is_special(c) ? HeaderToken::Kind::special : HeaderToken::Kind::word,
          .text = std::move(text)};
}

}  // namespace

bool HeaderToken::is_word(std::string_view word) const {
  return kind == Kind::word && equals_ignore_case(text, word);
}

std::optional<std::vector<HeaderToken>> next_header_tokens(std::string_view& rest, size_t limit) {
  while (!rest.empty() && is_gap(rest.front()))
    rest.remove_prefix(1);
  if (rest.empty()) return std::nullopt;
  std::vector<HeaderToken> out;
  while (!rest.empty()) {
    char c = rest.front();
    if (c == ';') {
      rest.remove_prefix(1);
      break;
    }
    if (is_gap(c)) {
      rest.remove_prefix(1);
    } else if (c == '(') {
      skip_comment(rest);
    } else if (HeaderToken token = take_token(rest); out.size() < limit) {
      out.push_back(std::move(token));
    }
  }
  return out;
}

}  // namespace postrider::mail

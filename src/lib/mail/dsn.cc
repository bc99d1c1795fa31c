#include "mail/dsn.h"

#include "base/text.h"

namespace postrider::mail {

namespace {

constexpr std::array<std::string_view, 5> kActions{"failed", "delayed", "delivered", "relayed", "expanded"};

}  // namespace

std::string_view to_text(Action action) {
  return kActions[static_cast<size_t>(action)];
}

std::optional<Action> parse_action(std::string_view text) {
  for (size_t i = 0; i < kActions.size(); ++i) {
    if (equals_ignore_case(text, kActions[i])) return static_cast<Action>(i);
  }
  return std::nullopt;
}

StatusText split_status_text(StatusCode fallback, std::string_view text) {
  text = trim_left(text);
  auto code = StatusCode::parse_prefix(text);
  if (!code) return {.code = fallback, .text = text};
  return {.code = *code, .text = trim_left(text.substr(code->text().size()))};
}

std::string with_status(StatusCode fallback, std::string_view text) {
  StatusText parts = split_status_text(fallback, text);
  std::string out(parts.code.text());
  out += ' ';
  out += parts.text;
  return out;
}

}  // namespace postrider::mail

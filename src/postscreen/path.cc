#include "postscreen/path.h"

#include <algorithm>

#include "mail/quote.h"

namespace postrider::postscreen {

namespace {

/// Up to the first of `ends` that is not quoted.
std::string_view until(std::string_view text, std::string_view ends) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && ends.find(text[i]) != std::string_view::npos) {
      return text.substr(0, i);
    }
  }
  return text;
}

}  // namespace

std::optional<std::string> path_argument(std::string_view argument) {
  size_t colon = argument.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view text = argument.substr(colon + 1);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  text = text.starts_with('<') ? until(text.substr(1), ">") : until(text, " \t");
  // A source route.
  if (text.starts_with('@')) {
    if (size_t route_end = text.find(':'); route_end != std::string_view::npos)
      text.remove_prefix(route_end + 1);
  }
  return mail::unquote_822_local(text);
}

}  // namespace postrider::postscreen

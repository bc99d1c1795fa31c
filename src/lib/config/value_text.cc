#include "config/value_text.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::config {

std::optional<bool> parse_bool(std::string_view text) {
  if (equals_ignore_case(text, "yes")) return true;
  if (equals_ignore_case(text, "no")) return false;
  return std::nullopt;
}

std::optional<int64_t> parse_size(std::string_view text) {
  text = trim_left(text);
  if (text.starts_with("+-")) return std::nullopt;
  return parse_int(text);
}

std::optional<int> parse_number(std::string_view text) {
  auto number = parse_size(text);
  if (!number || *number < std::numeric_limits<int>::min() || *number > std::numeric_limits<int>::max())
    return std::nullopt;
  return static_cast<int>(*number);
}

namespace {

int64_t seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 60 * 60;
    case 'd':
      return 24 * 60 * 60;
    case 'w':
      return 7 * 24 * 60 * 60;
    default:
      return 0;
  }
}

}  // namespace

std::optional<std::chrono::seconds> parse_time(std::string_view text, char default_unit) {
  text = trim_left(text);
  if (text.empty()) return std::nullopt;
  size_t digits = text[0] == '+' ? 1 : 0;
  size_t end = std::min(text.find_first_not_of("0123456789", digits), text.size());
  if (end == digits && digits > 0) return std::nullopt;
  // A unit without a number is zero, for strtol() says so.
  auto number = end == 0 ? std::optional<int64_t>(0) : parse_int(text.substr(0, end));
  int64_t unit = seconds_of_unit(end < text.size() ? text[end] : default_unit);
  if (!number || unit == 0 || *number > std::numeric_limits<int>::max() / unit) return std::nullopt;
  return std::chrono::seconds(*number * unit);
}

Result<uint32_t> parse_words(std::string_view name, std::string_view text,
                             std::span<const std::string_view> words) {
  uint32_t mask = 0;
  for (std::string_view word : split_any(text, kListSeparators)) {
    auto found =
        std::ranges::find_if(words, [&](std::string_view known) { return equals_ignore_case(known, word); });
    if (found == words.end())
      return fail(ErrorKind::invalid, fmt::format("unknown {} value \"{}\" in \"{}\"", name, word, text));
    mask |= 1u << (found - words.begin());
  }
  return mask;
}

Result<Assignment> parse_assignment(std::string_view text) {
  std::string_view trimmed = trim(text);
  size_t end = 0;
  while (end < trimmed.size() && !is_space(trimmed[end]) && trimmed[end] != '=')
    ++end;
  if (end == 0) return fail(ErrorKind::invalid, fmt::format("missing attribute name: \"{}\"", text));
  std::string_view rest = trim_left(trimmed.substr(end));
  if (!rest.starts_with('='))
    return fail(ErrorKind::invalid, fmt::format("missing '=' after attribute name: \"{}\"", text));
  return Assignment{std::string(trimmed.substr(0, end)), std::string(trim(rest.substr(1)))};
}

}  // namespace postrider::config

#include "config/compat_level.h"

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::config {

std::optional<CompatLevel> CompatLevel::parse(std::string_view text) {
  CompatLevel level;
  uint32_t* parts[] = {&level.major, &level.minor, &level.patch};
  std::vector<std::string_view> pieces = split_each(text, '.');
  if (pieces.size() > std::size(parts)) return std::nullopt;
  for (size_t i = 0; i < pieces.size(); ++i) {
    auto number = is_all_digits(pieces[i]) ? parse_unsigned(pieces[i]) : std::nullopt;
    if (!number || *number > UINT32_MAX) return std::nullopt;
    *parts[i] = static_cast<uint32_t>(*number);
  }
  return level;
}

std::string malformed_compat_level(std::string_view text) {
  return fmt::format("malformed compatibility level syntax: \"{}\"", text);
}

}  // namespace postrider::config

// Compatibility levels: which release's defaults a configuration was written for.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::config {

/// "major[.minor[.patch]]", as in compatibility_level.
struct CompatLevel {
  uint32_t major = 0, minor = 0, patch = 0;

  static std::optional<CompatLevel> parse(std::string_view text);
  friend auto operator<=>(const CompatLevel&, const CompatLevel&) = default;
};

/// The level whose defaults are today's; "postconf compatibility_level=3.11" accepts all of them.
inline constexpr CompatLevel kLatestCompatLevel{3, 11, 0};
inline constexpr std::string_view kLatestCompatLevelText = "3.11";

/// Postfix's text for a level that cannot be read.
std::string malformed_compat_level(std::string_view text);

}  // namespace postrider::config

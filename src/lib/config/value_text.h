// The texts of typed values, as main.cf and tables have them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::config {

/// "yes" or "no", in any case.
std::optional<bool> parse_bool(std::string_view text);
/// A decimal number that fits an int.
std::optional<int> parse_number(std::string_view text);
/// A decimal number that fits an int64_t.
std::optional<int64_t> parse_size(std::string_view text);
/// A number that is not negative and a unit s, m, h, d or w; `default_unit` where there is none. As in
/// Postfix what follows the unit does not matter, and the seconds fit an int.
std::optional<std::chrono::seconds> parse_time(std::string_view text, char default_unit);

/// A list of known words, in any case, as a bit mask: bit i stands for words[i]. The error is Postfix's:
/// unknown NAME value "word" in "text".
Result<uint32_t> parse_words(std::string_view name, std::string_view text,
                             std::span<const std::string_view> words);

struct Assignment {
  std::string name, value;
  friend bool operator==(const Assignment&, const Assignment&) = default;
};
/// "name = value": white space around both is ignored, the value may be empty. The error is Postfix's:
/// missing '=' after attribute name: "text".
Result<Assignment> parse_assignment(std::string_view text);

}  // namespace postrider::config

#include "base/netstring.h"

#include <fmt/format.h>

#include "base/text.h"

namespace postrider {

namespace {
/// Leading zeros are allowed, but not without end.
constexpr size_t kMaxDigits = 100;
}  // namespace

std::string netstring(std::string_view text) {
  return fmt::format("{}:{},", text.size(), text);
}

NetstringLength::Step NetstringLength::take(char c) {
  if (c == ':') return Step::done;
  if (!is_digit(c) || ++digits_ > kMaxDigits) return Step::malformed;
  auto digit = static_cast<uint64_t>(c - '0');
  if (digit > max_ || value_ > (max_ - digit) / 10) return Step::too_long;
  value_ = value_ * 10 + digit;
  return Step::more;
}

}  // namespace postrider

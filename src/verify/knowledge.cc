#include "verify/knowledge.h"

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::verify {

using proto::AddressStatus;

namespace {

/// Longer texts help nobody and fill the table.
constexpr size_t kMaxText = 1000;

std::optional<int64_t> take_number(std::string_view& rest) {
  size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto number = parse_unsigned(rest.substr(0, colon));
  rest.remove_prefix(colon + 1);
  if (!number || *number > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(*number);
}

}  // namespace

std::string Knowledge::entry() const {
  return fmt::format("{}:{}:{}:{}", static_cast<int>(status), probed, updated, text.substr(0, kMaxText));
}

std::optional<Knowledge> Knowledge::parse(std::string_view entry) {
  auto status = take_number(entry);
  auto probed = status ? take_number(entry) : std::nullopt;
  auto updated = probed ? take_number(entry) : std::nullopt;
  if (!updated || *status > static_cast<int64_t>(AddressStatus::in_progress) || entry.empty())
    return std::nullopt;
  if (*probed == 0 && *updated == 0) return std::nullopt;
  return Knowledge{static_cast<AddressStatus>(*status), *probed, *updated, std::string(entry)};
}

}  // namespace postrider::verify

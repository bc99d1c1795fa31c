#include "postscreen/record.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace postrider::postscreen {

std::optional<Record> Record::parse(std::string_view entry) {
  std::vector<std::string_view> fields = split_each(entry, ';');
  if (fields.size() != kTests) return std::nullopt;
  Record out;
  for (size_t i = 0; i < kTests; ++i) {
    auto number = is_all_digits(fields[i]) ? parse_int(fields[i]) : std::nullopt;
    if (!number) return std::nullopt;
    out.until[i] = *number;
  }
  return out;
}

std::string Record::entry() const {
  return fmt::format("{}", fmt::join(until, ";"));
}

}  // namespace postrider::postscreen

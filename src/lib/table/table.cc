#include "table/table.h"

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"

namespace postrider::table {

namespace {
constexpr std::string_view kMalformed = "malformed UTF-8 or invalid codepoint";
}

Table::Table(std::string_view type, std::string_view name, const Behaviour& behaviour, LogSink log)
    : type_(type),
      name_(name),
      spec_(type_ + ":" + name_),
      log_name_(printable(spec_)),
      behaviour_(behaviour),
      log_(std::move(log)) {}

std::unexpected<Error> Table::not_supported(std::string_view operation) const {
  return fail(ErrorKind::denied,
              fmt::format("table {}: {} operation is not supported", log_name_, operation));
}

std::optional<std::string_view> Table::prepare(std::string_view key, std::string& buffer) const {
  if (behaviour_.utf8 && !is_all_ascii(key)) {
    if (!is_valid_utf8(key)) {
      warn(fmt::format("{}: non-UTF-8 key \"{}\": {}", log_name_, printable(key), kMalformed));
      return std::nullopt;
    }
    if (!folds_keys()) return key;
    buffer = casefold(key);
    return buffer;
  }
  if (!folds_keys()) return key;
  buffer = lowercase(key);
  return buffer;
}

Result<std::optional<std::string>> Table::lookup(std::string_view key, Deadline deadline) {
  std::string buffer;
  auto prepared = prepare(key, buffer);
  if (!prepared) return std::nullopt;
  auto value = find(*prepared, deadline);
  if (value && *value && behaviour_.utf8 && !is_valid_utf8(**value)) {
    warn(fmt::format("{}: key \"{}\": non-UTF-8 value \"{}\": {}", log_name_, printable(key),
                     printable(**value), kMalformed));
    return fail(ErrorKind::invalid, fmt::format("table {}: query error", log_name_));
  }
  return value;
}

Result<void> Table::put(std::string_view key, std::string_view value, Deadline deadline) {
  std::string buffer;
  auto prepared = prepare(key, buffer);
  if (!prepared || (behaviour_.utf8 && !is_valid_utf8(value))) {
    return fail(ErrorKind::invalid, fmt::format("{}: key \"{}\": {}", log_name_, printable(key), kMalformed));
  }
  return do_put(*prepared, value, deadline);
}

Result<bool> Table::remove(std::string_view key, Deadline deadline) {
  std::string buffer;
  auto prepared = prepare(key, buffer);
  if (!prepared) return false;
  return do_remove(*prepared, deadline);
}

Result<std::optional<Entry>> Table::first(Deadline) {
  return not_supported("sequence");
}
Result<std::optional<Entry>> Table::next(Deadline) {
  return not_supported("sequence");
}
Result<void> Table::do_put(std::string_view, std::string_view, Deadline) {
  return not_supported("update");
}
Result<bool> Table::do_remove(std::string_view, Deadline) {
  return not_supported("delete");
}

}  // namespace postrider::table

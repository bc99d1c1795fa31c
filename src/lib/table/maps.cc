#include "table/maps.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "table/syntax.h"

namespace postrider::table {

namespace {

/// What Postfix's warnings call these tables: those of restrictions have no other name than their own.
std::string_view title_of(std::string_view parameter, const Table& table) {
  if (parameter == "alias_maps") return "aliases";
  bool restriction = parameter.starts_with("check_") && parameter.ends_with("_access");
  return restriction ? std::string_view(table.spec()) : parameter;
}

}  // namespace

Result<Maps> Maps::create(Catalog& catalog, std::string_view parameter, std::string_view value, Use use) {
  Maps out;
  out.catalog_ = &catalog;
  out.parameter_ = parameter;
  while (auto spec = next_item(value))
    out.tables_.push_back(TRY(catalog.open(*spec, use)));
  return out;
}

Result<std::optional<Maps::Found>> Maps::failed(const Table& table, std::string_view key,
                                                const Error& error) const {
  std::string text = fmt::format("{} lookup error for \"{}\"", table.log_name(), printable(key));
  catalog_->log(Severity::warning, text);
  return fail(error.kind == ErrorKind::invalid ? error.kind : ErrorKind::temporary,
              fmt::format("{}: {}", text, error.text));
}

Result<std::optional<Maps::Found>> Maps::find(std::string_view key, Where where, Deadline deadline) const {
  if (key.empty()) return std::nullopt;
  for (const auto& table : tables_) {
    if (where == Where::fixed_keys && table->matches_patterns()) continue;
    auto value = table->lookup(key, deadline);
    if (!value) return failed(*table, key, value.error());
    if (!*value) continue;
    if ((*value)->empty() && !allows_empty_) {
      std::string_view title = title_of(parameter_, *table);
      std::string text = fmt::format("{} lookup of {} returns an empty string result", title, printable(key));
      catalog_->log(Severity::warning, text);
      catalog_->log(Severity::warning, fmt::format("{} should return NO RESULT in case of NOT FOUND", title));
      return fail(ErrorKind::invalid, std::move(text));
    }
    return Found{std::move(**value), {parameter_, table->spec(), std::string(key)}};
  }
  return std::nullopt;
}

Result<std::optional<Maps::Found>> Maps::find_file(std::string_view key, Where where,
                                                   Deadline deadline) const {
  auto found = TRY(find(key, where, deadline));
  if (!found) return std::nullopt;
  auto content = base64_decode(found->value);
  if (!content) {
    std::string text = fmt::format("table {}: key {}: malformed BASE64 value: {}", found->origin.source,
                                   printable(key), printable(std::string_view(found->value).substr(0, 30)));
    catalog_->log(Severity::warning, text);
    return fail(ErrorKind::invalid, std::move(text));
  }
  found->value = std::move(*content);
  return found;
}

}  // namespace postrider::table

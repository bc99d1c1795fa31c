#include "table/database_results.h"

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::table {

Result<DatabaseResults> DatabaseResults::create(std::string_view type, std::string_view name,
                                                const DatabaseConfig& config, const std::string& format,
                                                const OpenOptions& options) {
  DatabaseResults out;
  out.spec_ = fmt::format("{}:{}", type, name);
  out.format_ = TRY(KeyTemplate::parse(name, format, KeyTemplate::Kind::result));
  out.limit_ = TRY(config.number("expansion_limit", 0, 0, 0));
  out.log_ = options.log;
  std::string domains = config.text("domain");
  out.filtered_ = !trim(domains).empty();
  if (!out.filtered_) return out;
  OpenOptions nested = options;
  nested.access = Access::read;
  nested.values_are_files = false;
  out.catalog_ = std::make_shared<Catalog>(std::move(nested));
  out.domains_ = TRY(MatchList::create(*out.catalog_, name, domains, {.kind = MatchList::Kind::text}));
  return out;
}

Result<bool> DatabaseResults::wants(std::string_view key, Deadline deadline) const {
  if (!filtered_) return true;
  // Neither names without domain nor "@domain" are addresses of one.
  size_t at = key.rfind('@');
  if (at == std::string_view::npos || at == 0) return false;
  return TRY(domains_.match(key.substr(at + 1), deadline)).matched;
}

bool DatabaseResults::Collector::add(std::string_view value) {
  // Values that lack a part that the format wants are passed over, empty ones among them.
  auto shown = results_.format_.result(value, key_);
  if (!shown) return true;
  if (value.empty()) {
    if (results_.log_)
      results_.log_(Severity::warning, fmt::format("table \"{}\": empty lookup result for: \"{}\" -- ignored",
                                                   results_.spec_, printable(key_)));
    return true;
  }
  if (text_)
    *text_ += ',' + *shown;
  else
    text_ = std::move(shown);
  return results_.limit_ <= 0 || ++count_ <= results_.limit_;
}

std::optional<std::string> DatabaseResults::Collector::take() {
  return std::exchange(text_, std::nullopt);
}

}  // namespace postrider::table

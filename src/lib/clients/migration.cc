#include "clients/migration.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/reindex.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/params/tools.h"
#include "log/log.h"

namespace postrider::clients {

namespace params = config::params;

bool is_berkeley_type(std::string_view type) {
  return type == "hash" || type == "btree";
}

std::string_view replacement_suffix(std::string_view type) {
  return type == "lmdb" ? ".lmdb" : type == "cdb" ? ".cdb" : "";
}

TypeMapping::TypeMapping(const config::Config& config, const table::OpenOptions& options)
    : hash_(config.get(params::default_database_type)),
      btree_(config.get(params::default_cache_db_type)),
      mapping_spec_(config.get(params::non_bdb_custom_mapping)) {
  if (mapping_spec_.empty() || is_berkeley_type(mapping_spec_.substr(0, mapping_spec_.find(':')))) return;
  mapping_ = table::open_or_surrogate(mapping_spec_, options);
}

Result<std::string> TypeMapping::type_for(std::string_view type, std::string_view spec) const {
  if (!mapping_spec_.empty() && !mapping_)
    return fail(ErrorKind::invalid,
                fmt::format("non_bdb_custom_mapping must not use legacy type: '{}'", mapping_spec_));
  for (std::string_view key : {spec, type}) {
    if (!mapping_) break;
    auto custom = mapping_->lookup(key, Deadline::never());
    if (!custom)
      return fail(ErrorKind::temporary, fmt::format("{} lookup error for '{}'", mapping_spec_, spec));
    if (*custom) return **custom;
  }
  return type == "hash" ? hash_ : btree_;
}

Result<std::string> TypeMapping::replacement(std::string_view spec) const {
  size_t colon = std::min(spec.find(':'), spec.size());
  std::string_view type = spec.substr(0, colon);
  if (!is_berkeley_type(type))
    return fail(ErrorKind::invalid,
                fmt::format("request to map from non-Berkeley-DB type: '{}'", printable(type)));
  std::string other = TRY(type_for(type, spec));
  if (is_berkeley_type(other))
    return fail(ErrorKind::invalid, fmt::format("mapping from '{}' to legacy type '{}'", type, other));
  if (!table::is_known_type(other))
    return fail(ErrorKind::invalid,
                fmt::format("mapping to unsupported database type: '{}'", printable(other)));
  return fmt::format("{}{}", other, spec.substr(colon));
}

TypeMapping type_mapping(const config::Config& config) {
  table::OpenOptions options;
  options.behaviour.utf8 = config.get(params::smtputf8_enable);
  options.log = [](table::Severity, std::string_view text) { log::warning("{}", text); };
  return {config, options};
}

void redirect_berkeley_tables(const config::Config& config, table::OpenOptions& options) {
  std::string level = config.get(params::non_bdb_migration_level);
  if (level == "disable") return;
  auto mapping = std::make_shared<TypeMapping>(config, options);
  bool log_it = config.get(params::non_bdb_migration_log_redirect);
  options.redirect = [mapping, log_it](std::string_view spec) -> Result<std::optional<std::string>> {
    if (!is_berkeley_type(spec.substr(0, spec.find(':')))) return std::nullopt;
    auto target = mapping->replacement(spec);
    if (!target)
      return fail(target.error().kind, fmt::format("non-Berkeley-DB type mapping lookup error for '{}': {}",
                                                   spec, target.error().text));
    if (log_it) log::info("redirecting {} to {}", spec, *target);
    return std::move(*target);
  };
  if (level == "enable-reindex") {
    options.provide = [reindexer = std::make_shared<Reindexer>(config)](std::string_view spec,
                                                                        std::string_view target) {
      return reindexer->provide(spec, target);
    };
  }
}

}  // namespace postrider::clients

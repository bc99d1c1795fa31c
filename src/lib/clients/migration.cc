#include "clients/migration.h"

#include <memory>

#include <fmt/format.h>

#include "config/params/services.h"
#include "config/params/system.h"
#include "config/params/tools.h"
#include "log/log.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

bool is_berkeley(std::string_view type) {
  return type == "hash" || type == "btree";
}

/// A type to use instead.
std::string checked_type(const config::Config& config, config::Param<std::string> param) {
  std::string type = config.get(param);
  if (!is_berkeley(type)) return type;
  throw config::ConfigError(
      fmt::format("{} = {} cannot take the place of Berkeley DB", param.name(), type),
      config.source(param.name()),
      fmt::format("set {} to lmdb or cdb, or non_bdb_migration_level to disable", param.name()));
}

class Redirection {
 public:
  Redirection(const config::Config& config, const table::OpenOptions& options)
      : hash_(checked_type(config, params::default_database_type)),
        btree_(checked_type(config, params::default_cache_db_type)),
        log_(config.get(params::non_bdb_migration_log_redirect)) {
    std::string mapping = config.get(params::non_bdb_custom_mapping);
    if (mapping.empty()) return;
    if (is_berkeley(mapping.substr(0, mapping.find(':'))))
      throw config::ConfigError(fmt::format("bad table: non_bdb_custom_mapping = {}", mapping),
                                config.source("non_bdb_custom_mapping"), "use a table of another type");
    mapping_ = table::open_or_surrogate(mapping, options);
  }

  std::optional<std::string> operator()(std::string_view spec) const {
    size_t colon = spec.find(':');
    std::string_view type = spec.substr(0, colon);
    if (!is_berkeley(type)) return std::nullopt;
    std::string other = type == "hash" ? hash_ : btree_;
    for (std::string_view key : {type, spec}) {
      auto custom = mapping_ ? mapping_->lookup(key, Deadline::never()) : std::nullopt;
      if (custom && *custom) other = **custom;
    }
    std::string target = fmt::format("{}{}", other, spec.substr(colon));
    if (log_) log::info("redirecting {} to {}", spec, target);
    return target;
  }

 private:
  std::string hash_, btree_;
  bool log_;
  std::shared_ptr<table::Table> mapping_;
};

}  // namespace

std::function<std::optional<std::string>(std::string_view spec)> table_redirection(
    const config::Config& config, const table::OpenOptions& options) {
  if (config.get(params::non_bdb_migration_level) == "disable") return nullptr;
  return Redirection(config, options);
}

}  // namespace postrider::clients

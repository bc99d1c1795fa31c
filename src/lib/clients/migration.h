// Using other tables in place of Berkeley DB tables, for systems that have to do without that library.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "table/open.h"

namespace postrider::clients {

/// Which types take the place of "hash" and "btree".
class TypeMapping {
 public:
  /// `options` are for the table of non_bdb_custom_mapping.
  TypeMapping(const config::Config& config, const table::OpenOptions& options);

  /// "lmdb:/etc/x" for "hash:/etc/x". The error says what is wrong with the settings.
  Result<std::string> replacement(std::string_view spec) const;

 private:
  Result<std::string> type_for(std::string_view type, std::string_view spec) const;

  std::string hash_, btree_;
  std::string mapping_spec_;
  std::shared_ptr<table::Table> mapping_;
};

bool is_berkeley_type(std::string_view type);
/// What stands behind the name of a source in the name of its index; empty for types without one.
std::string_view replacement_suffix(std::string_view type);

/// Sets up `options` as non_bdb_migration_level and its relatives say. With enable-reindex an index that is
/// missing is asked for: before the event loop runs, that is waited for; later it is made in the background,
/// and until then the table fails.
void redirect_berkeley_tables(const config::Config& config, table::OpenOptions& options);

/// As redirect_berkeley_tables(), for the one who makes the indexes.
TypeMapping type_mapping(const config::Config& config);

}  // namespace postrider::clients

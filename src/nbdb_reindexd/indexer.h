// Making the index of one table.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "clients/migration.h"
#include "nbdb_reindexd/safety.h"

namespace postrider::nbdb_reindexd {

struct Settings {
  explicit Settings(const config::Config& config);

  bool enabled;
  SafetyRules rules;
  clients::TypeMapping mapping;
  table::OpenOptions options;  ///< For the new index.
  std::string alias_tables;    ///< What the configuration says of tables that are alias databases.
  std::string service_name, host_name;
};

class Indexer {
 public:
  explicit Indexer(Settings settings) : settings_(std::move(settings)) {}

  /// Builds the index that takes the place of the old one of "hash:/path" or "btree:/path", as the owner of
  /// that. One that is there already is left alone. Blocks. What was refused is ErrorKind::denied.
  Result<void> run(std::string_view type, const std::string& path) const;
  const Settings& settings() const { return settings_; }

 private:
  Result<void> build(const std::string& target, const Seen& source, const Seen& old_index) const;
  bool is_alias_table(const std::string& path) const;

  Settings settings_;
};

}  // namespace postrider::nbdb_reindexd

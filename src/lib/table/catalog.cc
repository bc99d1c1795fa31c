#include "table/catalog.h"

#include "table/internal.h"

namespace postrider::table {

Result<std::shared_ptr<Table>> Catalog::open(std::string_view spec, Use use) {
  TRY(check_spec(spec));
  auto [entry, added] = tables_.try_emplace({std::string(spec), use});
  if (added) {
    OpenOptions options = options_;
    options.behaviour.fold_fixed = use.fold_fixed;
    options.behaviour.fold_patterns = use.fold_patterns;
    options.paranoid = use.paranoid;
    options.no_substitution = use.no_substitution;
    options.values_are_files = use.values_are_files;
    if (use.any_bytes) options.behaviour.utf8 = false;
    entry->second = open_or_surrogate(spec, options);
  }
  return entry->second;
}

std::string Catalog::stale_table() const {
  for (const auto& [key, table] : tables_) {
    if (table->is_stale()) return key.first;
  }
  return {};
}

}  // namespace postrider::table

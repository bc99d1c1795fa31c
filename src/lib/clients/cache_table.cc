#include "clients/cache_table.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "clients/mail_owner.h"
#include "clients/tables.h"
#include "table/open.h"

namespace postrider::clients {

std::shared_ptr<table::Table> open_cache_table(const config::Config& config, std::string_view parameter,
                                               const std::string& spec) {
  constexpr mode_t kMode = 0600;
  std::optional<sys::AsUser> owner = become_mail_owner(config);
  table::OpenOptions options = table_options(config);
  options.behaviour = {.fold_fixed = false, .fold_patterns = false, .utf8 = false};
  options.access = table::Access::exclusive;
  options.create_mode = kMode;
  options.duplicates = table::Duplicates::replace;
  auto table = table::open(spec, options);
  if (table) return std::move(*table);
  throw config::ConfigError(table.error().text, config.source(parameter),
                            "name a table that can be written to, in a directory of the mail owner");
}

}  // namespace postrider::clients

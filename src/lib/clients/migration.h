// Using other tables in place of Berkeley DB tables, for systems that have to do without that library.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "table/open.h"

namespace postrider::clients {

/// What non_bdb_migration_level and its relatives ask for, as OpenOptions::redirect; empty when that is
/// nothing. `options` are for the table of non_bdb_custom_mapping. Throws ConfigError where the types to use
/// instead are Berkeley DB types themselves.
std::function<std::optional<std::string>(std::string_view spec)> table_redirection(
    const config::Config& config, const table::OpenOptions& options);

}  // namespace postrider::clients

// Opening the tables that parameters name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "rewrite/local_domains.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postrider::clients {

/// Options for a process's table catalog: parameters that apply to all tables, warnings to the log.
table::OpenOptions table_options(const config::Config& config);

/// The tables of a parameter. What they need of the file system is added to `paths`, for the sandbox. Throws
/// ConfigError where the value is no list of tables.
table::Maps open_maps(table::Catalog& catalog, const config::Config& config, config::Param<std::string> param,
                      table::Use use, std::vector<std::string>& paths);

/// The same for tables that name files, commands or identities, read by a process with the rights of users: a
/// proxy would hide who can change a table, and a pattern's "$1" would let a sender choose, so the tables are
/// opened directly and without substitution.
table::Maps open_direct_maps(table::Catalog& catalog, const config::Config& config,
                             config::Param<std::string> param);

/// The same as open_maps() for a list of patterns and tables. Parent domains match where
/// parent_domain_matches_subdomains lists the parameter.
table::MatchList open_match_list(table::Catalog& catalog, const config::Config& config,
                                 config::Param<std::string> param, table::MatchList::Kind kind,
                                 std::vector<std::string>& paths);

/// mydestination and the addresses of this system. Names in inet_interfaces are looked up: for start-up.
rewrite::LocalDomains open_local_domains(table::Catalog& catalog, const config::Config& config,
                                         std::vector<std::string>& paths);

/// The files and directories behind all "type:name" words of a text.
void add_required_paths(std::string_view text, std::vector<std::string>& paths);

}  // namespace postrider::clients

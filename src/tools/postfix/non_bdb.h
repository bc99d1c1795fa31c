// postfix non-bdb: the migration away from Berkeley DB.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace postrider::postfix {

/// "status", "disable", "enable-redirect" or "enable-reindex": says or changes what non_bdb_migration_level
/// is, and whether master.cf has the service that makes indexes. The result is the exit status.
int migrate_from_berkeley_db(const config::Config& config, const std::vector<std::string>& arguments);

}  // namespace postrider::postfix

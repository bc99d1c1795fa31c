// Tables in which a daemon remembers things: address_verify_map, smtpd_tls_session_cache_database.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "table/table.h"

namespace postrider::clients {

/// Opens a table for one process that reads and writes it, as the mail owner, whose file it becomes; before a
/// chroot hides it. Throws ConfigError, with the place of `parameter`, when that does not work.
std::shared_ptr<table::Table> open_cache_table(const config::Config& config, std::string_view parameter,
                                               const std::string& spec);

}  // namespace postrider::clients

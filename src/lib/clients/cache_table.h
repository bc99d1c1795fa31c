// Tables in which a daemon remembers things: address_verify_map, postscreen_cache_map,
// smtpd_tls_session_cache_database.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "table/record_cache.h"
#include "table/table.h"

namespace postrider::clients {

/// Opens a table for one process that reads and writes it, as the mail owner, whose file it becomes; before a
/// chroot hides it. Throws ConfigError, with the place of `parameter`, when that does not work.
std::shared_ptr<table::Table> open_cache_table(const config::Config& config, std::string_view parameter,
                                               const std::string& spec);

/// Removes what has expired, with Postfix's log line. Problems are logged. For fibers only.
void sweep_cache(table::RecordCache& cache, const table::RecordCache::Expired& expired);
/// Does so each `interval` (0: never), until the cache is closed. For a fiber of its own.
void sweep_cache_forever(table::RecordCache& cache, seconds interval,
                         const table::RecordCache::Expired& expired);
/// Brings what is stored to the disk every few seconds, until the cache is closed. For a fiber of its own.
void flush_cache_forever(table::RecordCache& cache);

}  // namespace postrider::clients

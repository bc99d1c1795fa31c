#include "clients/cache_table.h"

#include <unistd.h>

#include <ctime>
#include <optional>
#include <utility>

#include "clients/mail_owner.h"
#include "clients/tables.h"
#include "io/fiber.h"
#include "log/log.h"
#include "table/open.h"

namespace postrider::clients {

namespace {

constexpr seconds kFlushInterval{5};

int64_t now() {
  return ::time(nullptr);
}

}  // namespace

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

void sweep_cache(table::RecordCache& cache, const table::RecordCache::Expired& expired) {
  auto counts = cache.sweep(expired, now());
  if (!counts) {
    log::warning("{}", counts.error().text);
    log::warning("{}: cache cleanup scan terminated due to error", cache.name());
  } else if (!cache.name().empty()) {
    log::info("cache {} {} cleanup: retained={} dropped={} entries", cache.name(),
              counts->complete ? "full" : "partial", counts->retained, counts->dropped);
  }
}

void sweep_cache_forever(table::RecordCache& cache, seconds interval,
                         const table::RecordCache::Expired& expired) {
  if (interval.count() <= 0) return;
  for (seconds wait = cache.until_sweep(interval, now()); !cache.closed(); wait = interval) {
    io::sleep_for(wait);
    if (!cache.closed()) sweep_cache(cache, expired);
  }
}

void flush_cache_forever(table::RecordCache& cache) {
  while (!cache.closed()) {
    io::sleep_for(kFlushInterval);
    if (auto flushed = cache.flush(); !flushed) log::warning("{}", flushed.error().text);
  }
}

}  // namespace postrider::clients

// postscreen - looks at clients before an SMTP server does, and keeps those away that only bring spam.

#include "clients/cache_table.h"
#include "clients/tables.h"
#include "config/params/postscreen.h"
#include "log/log.h"
#include "postscreen/screener.h"
#include "service/daemon.h"

namespace postrider::postscreen {
namespace {

using table::RecordCache;

DnsblSites read_sites(const config::Config& config, const Settings& settings) {
  auto sites = DnsblSites::parse(settings.dnsbl_sites);
  if (sites) return std::move(*sites);
  throw config::ConfigError(sites.error().text, config.source("postscreen_dnsbl_sites"),
                            "write lists as domain=filter*weight, with filter and weight optional");
}

RecordCache open_cache(const config::Config& config, const Settings& settings,
                       std::vector<std::string>& paths) {
  if (settings.cache_map.empty()) return RecordCache();
  clients::add_required_paths(settings.cache_map, paths);
  return RecordCache(clients::open_cache_table(config, "postscreen_cache_map", settings.cache_map));
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static Settings settings(config, under_stress(config, daemon.arguments().overrides));
  static DnsblSites sites = read_sites(config, settings);
  static table::Catalog catalog(clients::table_options(config));
  std::vector<std::string> read, write;
  static Lists lists(config, catalog, read);
  static RecordCache cache = open_cache(config, settings, write);
  static Screener screener(config, settings, lists, sites, cache);
  daemon.set_watchdog(settings.watchdog);
  daemon.drop_privileges();
  daemon.confine({.name = "postscreen", .read = read, .write = write});
  daemon.at_start([] {
    clients::sweep_cache_forever(cache, settings.cleanup_interval,
                                 [](std::string_view entry) { return screener.is_expired(entry); });
  });
  daemon.at_start([] { clients::flush_cache_forever(cache); });
  // The next process needs the cache. Clients that are still here go on without it.
  daemon.on_retire([] { cache.close(); });
  daemon.on_leave([] { cache.close(); });
  daemon.serve([](service::Client client) { screener.serve(std::move(client)); });
}

}  // namespace
}  // namespace postrider::postscreen

int main(int argc, char** argv) {
  // It has limits of its own, and answers those who come beyond them.
  return postrider::service::run(argc, argv, {.name = "postscreen", .own_limits = true},
                                 postrider::postscreen::run);
}

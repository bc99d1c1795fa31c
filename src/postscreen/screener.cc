#include "postscreen/screener.h"

#include <algorithm>
#include <ctime>

#include "log/log.h"
#include "postscreen/visit.h"

namespace postrider::postscreen {

namespace {

/// The cache is a file of this process's own.
constexpr seconds kCachePatience{10};

}  // namespace

int64_t now() {
  return ::time(nullptr);
}

Screener::Screener(const config::Config& config, const Settings& settings, const Lists& lists,
                   const DnsblSites& sites, table::RecordCache& cache)
    : settings_(settings),
      lists_(lists),
      cache_(cache),
      replies_(settings, lists),
      tls_(config, settings),
      dnsbl_(config, settings.dnsblog_service, sites, settings.dnsbl_timeout),
      patience_(&settings.patience) {}

void Screener::serve(service::Client client) {
  Visit(*this, std::move(client)).run();
}

bool Screener::is_expired(std::string_view entry) const {
  auto record = Record::parse(entry);
  if (!record) return true;
  return std::ranges::any_of(kAllTests, [&](Test test) {
    return settings_.is_enabled(test) && (*record)[test] + settings_.retention.count() < now();
  });
}

void Screener::watch_stress() {
  const size_t high = settings_.pre_queue_limit * 9 / 10, low = settings_.pre_queue_limit * 7 / 10;
  if (!stressed_ && under_test >= high) {
    stressed_ = true;
    log::info("entering STRESS mode with {} connections", under_test);
  } else if (stressed_ && under_test <= low) {
    stressed_ = false;
    log::info("leaving STRESS mode with {} connections", under_test);
  }
  patience_ = stressed_ ? &settings_.stress_patience : &settings_.patience;
}

std::optional<Record> Screener::find(const std::string& ip) const {
  auto entry = cache_.find(ip, Deadline::after(kCachePatience));
  if (!entry) {
    log::warning("{}", entry.error().text);
    log::warning("{}: cache lookup for '{}' failed due to error", cache_.name(), ip);
    return std::nullopt;
  }
  return *entry ? Record::parse(**entry) : std::nullopt;
}

void Screener::remember(const std::string& ip, const Record& record) const {
  auto stored = cache_.store(ip, record.entry(), Deadline::after(kCachePatience));
  if (stored) return;
  log::warning("{}", stored.error().text);
  log::warning("{}: cache update for '{}' failed due to error", cache_.name(), ip);
}

}  // namespace postrider::postscreen

#include "smtp/agent.h"

#include "base/text.h"
#include "log/log.h"
#include "smtp/delivery.h"

namespace postrider::smtp_client {

namespace {

/// Sessions that are idle at a time, at most: more would hold descriptors for little.
constexpr size_t kMaxIdleSessions = 500;

dns::RoutingSettings with_loop_check(dns::RoutingSettings settings, bool check) {
  settings.detect_loops = check;
  return settings;
}

dns::ResolverSettings resolver_settings(const Settings& settings, const Tables& tables) {
  dns::ResolverSettings out;
  out.filter = tables.dns_filter;
  out.dnssec_probe = settings.dnssec_probe;
  return out;
}

std::unique_ptr<sasl::ClientService> open_sasl(const config::Config& config, const Settings& settings) {
  if (!settings.sasl.enabled) return nullptr;
  auto service = sasl::create_client_service(settings.sasl.plug_in);
  if (service) return std::move(*service);
  log::warning("{}", service.error().text);
  throw config::ConfigError("SASL library initialization", config.source(settings.parameter("sasl_type")),
                            "`postconf -A` lists what the type can be");
}

}  // namespace

Agent::Agent(const config::Config& config, Protocol protocol, const std::vector<std::string>& attributes)
    : config_(config),
      settings_(config, protocol, attributes),
      tables_(config, settings_),
      reporter_(config, config.service_name()),
      resolver_(resolver_settings(settings_, tables_)),
      hosts_(resolver_, {}),
      checking_router_(resolver_, hosts_, with_loop_check(settings_.routing, true)),
      plain_router_(resolver_, hosts_, with_loop_check(settings_.routing, false)),
      generic_(config, tables_.generic, tables_.local_domains),
      sasl_(open_sasl(config, settings_)),
      refused_logins_(config, settings_),
      tls_(config, settings_, resolver_),
      tls_policies_(settings_.tls, tables_.tls_policies, tables_.tls_sites, resolver_,
                    tls_.client ? &tls_.client->digests() : nullptr),
      notices_(config, settings_),
      cache_(settings_.cache.idle, kMaxIdleSessions),
      cache_reports_(config, cache_) {
  reporter_.filter_with(tables_.status_filter);
  settings_.session.rewriter = tables_.reply_filter;
  settings_.session.keep_transcript = notices_.wanted();
}

std::vector<std::string> Agent::paths() const {
  std::vector<std::string> out = tables_.paths;
  if (!tls_.client) return out;
  for (std::string& path : tls_.client->required_paths())
    out.push_back(std::move(path));
  for (std::string_view path : split_any(settings_.tls.trust_anchor_files, kListSeparators))
    out.emplace_back(path);
  return out;
}

void Agent::prepare() {
  resolver_.prepare();
  hosts_.prepare();
}

proto::DeliverReply Agent::deliver(delivery::Job& job) {
  return Delivery(*this, job).run();
}

}  // namespace postrider::smtp_client

#include "tlsproxy/engine.h"

#include "config/params/tls.h"
#include "config/params/tlsproxy.h"

namespace postrider::tlsproxy {

namespace params = config::params;

namespace {

tls::Level level_of_server(const config::Config& c) {
  return tls::server_level("tlsproxy_tls_security_level", c.get(params::tlsproxy_tls_security_level),
                           c.get(params::tlsproxy_enforce_tls), c.get(params::tlsproxy_use_tls));
}

/// What a session has to be like comes with each request: only whether there will be any is said here. Where
/// a parameter has its old name, the default of the new one is empty.
bool wants_client(const config::Config& c) {
  for (const std::string& tables :
       {c.get(params::tlsproxy_client_policy_maps), c.get(params::tlsproxy_client_policy),
        c.get(params::tlsproxy_client_per_site)}) {
    if (!tables.empty()) return true;
  }
  std::string level = c.get(params::tlsproxy_client_security_level);
  if (level.empty()) level = c.get(params::tlsproxy_client_level);
  if (level.empty()) {
    return c.get(params::tlsproxy_client_use_tls) || c.get(params::tlsproxy_client_enforce_tls);
  }
  return tls::parse_level(level).value_or(tls::Level::none) > tls::Level::none;
}

}  // namespace

Engine::Engine(const config::Config& config, table::Catalog& tables, std::vector<std::string>& paths)
    : server_support_(config, "tlsproxy", tables, paths),
      client_support_(config, "tlsproxy", proto::TlsCache::smtp),
      fast_shutdown_(config.get(params::tls_fast_shutdown_enable)) {
  tls::LibrarySettings library(config);
  tls::Level level = level_of_server(config);
  if (level > tls::Level::none) {
    tls::ServerSettings settings(config, tls::ServerRole::tlsproxy);
    settings.tells_failure = false;
    bool mandatory = level >= tls::Level::encrypt;
    requires_certificate_ = mandatory && settings.requires_certificate;
    server_ = tls::Server::create(settings, library, mandatory);
    if (server_) {
      for (std::string& path : server_->required_paths())
        paths.push_back(std::move(path));
    }
  }
  if (wants_client(config)) {
    tls::ClientSettings settings = tls::ClientSettings::of_tlsproxy(config);
    settings.tells_failure = false;
    client_ = tls::Client::create(settings, library);
    if (client_) {
      for (std::string& path : client_->required_paths())
        paths.push_back(std::move(path));
    }
  }
}

void Engine::seed(Deadline deadline) {
  server_support_.seed(deadline);
}

}  // namespace postrider::tlsproxy

// What the deliveries of a process share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "delivery/agent.h"
#include "delivery/report.h"
#include "dns/host.h"
#include "dns/mail_routing.h"
#include "dns/resolver.h"
#include "smtp/cache_reports.h"
#include "smtp/generic_map.h"
#include "smtp/login_cache.h"
#include "smtp/notice.h"
#include "smtp/securing.h"
#include "smtp/session_cache.h"
#include "smtp/settings.h"
#include "smtp/tables.h"
#include "smtp/tls_policies.h"

namespace postrider::smtp_client {

class Agent {
 public:
  /// `attributes` is what follows the program's name in master.cf.
  Agent(const config::Config& config, Protocol protocol, const std::vector<std::string>& attributes);

  /// Before the process loses sight of files.
  void prepare();
  /// What must stay reachable then.
  std::vector<std::string> paths() const;
  /// When serving begins.
  void start() { tls_.sessions.seed(Deadline::after(seconds(10))); }
  bool uses_tls() const { return tls_.client != nullptr; }
  /// Whether connections come from an address of the configuration's choice.
  bool binds() const { return settings_.source4.address || settings_.source6.address; }
  proto::DeliverReply deliver(delivery::Job& job);

  const config::Config& config() const { return config_; }
  const Settings& settings() const { return settings_; }
  const Tables& tables() const { return tables_; }
  delivery::Reporter& reporter() { return reporter_; }
  SessionCache& cache() {
    cache_reports_.touch();
    return cache_;
  }
  GenericMap& generic() { return generic_; }
  /// Null: nowhere is logged in.
  sasl::ClientService* sasl() { return sasl_.get(); }
  const LoginCache& refused_logins() const { return refused_logins_; }
  TlsEngine& tls() { return tls_; }
  const TlsPolicies& tls_policies() const { return tls_policies_; }
  PostmasterNotices& notices() { return notices_; }
  /// With or without a look whether this system is among the hosts that are found.
  dns::MailRouter& router(bool loop_check) { return loop_check ? checking_router_ : plain_router_; }

 private:
  const config::Config config_;
  Settings settings_;
  Tables tables_;
  delivery::Reporter reporter_;
  dns::Resolver resolver_;
  dns::HostLookup hosts_;
  dns::MailRouter checking_router_, plain_router_;
  GenericMap generic_;
  std::unique_ptr<sasl::ClientService> sasl_;
  LoginCache refused_logins_;
  TlsEngine tls_;
  TlsPolicies tls_policies_;
  PostmasterNotices notices_;
  SessionCache cache_;
  CacheReports cache_reports_;
};

}  // namespace postrider::smtp_client

// What handshakes of TLS want of the rest of the mail system.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clients/tls_manager.h"
#include "config/config.h"
#include "table/maps.h"
#include "tls/client.h"
#include "tls/server.h"

namespace postrider::clients {

/// Certificates by server name, from tls_server_sni_maps.
class ServerNames {
 public:
  /// Opens the tables; what they need of the file system is added to `paths`.
  ServerNames(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths);
  /// The name itself, or the nearest domain above it that has an entry with a dot in front.
  Result<std::optional<std::string>> find(std::string_view name, Deadline deadline) const;

 private:
  table::Maps maps_;
};

/// For servers: names from tables, the rest from tlsmgr.
class TlsServerSupport : public tls::ServerSupport {
 public:
  TlsServerSupport(const config::Config& config, std::string_view asker, table::Catalog& catalog,
                   std::vector<std::string>& paths)
      : names_(config, catalog, paths), manager_(config, asker) {}
  /// Takes part in tlsmgr's randomness; once, when serving begins.
  void seed(Deadline deadline) { manager_.seed(deadline); }

  std::shared_ptr<const tls::TicketKeys> ticket_keys(Deadline deadline) override {
    return manager_.ticket_keys(deadline);
  }
  std::optional<std::string> find_session(std::string_view id, Deadline deadline) override {
    return manager_.find_session(proto::TlsCache::smtpd, id, deadline);
  }
  void save_session(std::string_view id, std::string_view data, Deadline deadline) override {
    manager_.save_session(proto::TlsCache::smtpd, id, data, deadline);
  }
  Result<std::optional<std::string>> find_chain(std::string_view server_name, Deadline deadline) override {
    return names_.find(server_name, deadline);
  }

 private:
  ServerNames names_;
  TlsManager manager_;
};

/// For clients: sessions by way of tlsmgr.
class TlsClientSupport : public tls::ClientSupport {
 public:
  TlsClientSupport(const config::Config& config, std::string_view asker, proto::TlsCache cache)
      : manager_(config, asker), cache_(cache) {}
  /// Takes part in tlsmgr's randomness; once, when serving begins.
  void seed(Deadline deadline) { manager_.seed(deadline); }

  std::optional<std::string> find_session(std::string_view key, Deadline deadline) override {
    return manager_.find_session(cache_, key, deadline);
  }
  void save_session(std::string_view key, std::string_view data, Deadline deadline) override {
    manager_.save_session(cache_, key, data, deadline);
  }
  void remove_session(std::string_view key, Deadline deadline) override {
    manager_.remove_session(cache_, key, deadline);
  }

 private:
  TlsManager manager_;
  proto::TlsCache cache_;
};

}  // namespace postrider::clients

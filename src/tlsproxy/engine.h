// What a process needs for TLS, on either side.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "clients/tls_support.h"
#include "config/config.h"
#include "table/catalog.h"
#include "tls/client.h"
#include "tls/server.h"

namespace postrider::tlsproxy {

class Engine {
 public:
  /// Reads keys and certificates and opens tables; what they need of the file system is added to `paths`.
  Engine(const config::Config& config, table::Catalog& tables, std::vector<std::string>& paths);
  /// Takes part in tlsmgr's randomness; once, when serving begins.
  void seed(Deadline deadline);

  /// Null: this side is not wanted, or cannot be had.
  const tls::Server* server() const { return server_.get(); }
  tls::ServerSupport& server_support() { return server_support_; }
  const tls::Client* client() const { return client_.get(); }
  tls::ClientSupport& client_support() { return client_support_; }
  /// Clients that do not show a certificate of a trusted authority are sent away.
  bool requires_certificate() const { return requires_certificate_; }
  /// tls_fast_shutdown_enable
  bool fast_shutdown() const { return fast_shutdown_; }

 private:
  std::unique_ptr<tls::Server> server_;
  std::unique_ptr<tls::Client> client_;
  clients::TlsServerSupport server_support_;
  clients::TlsClientSupport client_support_;
  bool requires_certificate_ = false;
  bool fast_shutdown_;
};

}  // namespace postrider::tlsproxy

// STARTTLS in the built-in SMTP engine. This process has no keys: tlsproxy speaks TLS for it.
#pragma once

#include <string>

#include "clients/tls_proxy.h"
#include "config/config.h"
#include "postscreen/settings.h"

namespace postrider::postscreen {

class TlsGateway {
 public:
  /// Both must outlive it.
  TlsGateway(const config::Config& config, const Settings& settings) : config_(config), settings_(settings) {}

  /// Asks tlsproxy whether it can take on the client ("[192.0.2.1]:4711"). An error: TLS cannot be had now.
  Result<clients::TlsProxySession> begin(const std::string& client) const;
  /// Hands the connection over, of which nothing may be read or written here any more, and waits for the
  /// handshake. The stream that is returned has what the client says in TLS. An error: the handshake has
  /// failed; tlsproxy has logged why.
  Result<io::Stream> finish(clients::TlsProxySession session, int connection) const;

 private:
  const config::Config& config_;
  const Settings& settings_;
};

}  // namespace postrider::postscreen

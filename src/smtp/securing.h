// TLS on a connection, as its policy wants it.
#pragma once

#include <memory>
#include <string>

#include "clients/tls_support.h"
#include "proto/delivery.h"
#include "smtp/ledger.h"
#include "smtp/server_session.h"
#include "smtp/settings.h"
#include "smtp/tlsrpt.h"
#include "tls/client.h"

namespace postrider::smtp_client {

/// What a process needs for TLS.
struct TlsEngine {
  /// Reads keys and certificates.
  TlsEngine(const config::Config& config, const Settings& settings, dns::Resolver& resolver);

  clients::TlsClientSupport sessions;
  TlsReporter reporter;
  std::unique_ptr<tls::Client> client;  ///< Null: TLS is not wanted, or cannot be had.
};

/// Makes one session secure. What fails is decided about in the ledger.
class Securing {
 public:
  Securing(TlsEngine& engine, const Settings& settings, Ledger& ledger, ServerSession& session)
      : engine_(engine), settings_(settings), ledger_(ledger), session_(session) {}

  /// TLS before anything is said (smtp_tls_wrappermode). False: the session is over.
  bool wrap();
  /// Whether STARTTLS is wanted of this server, and can be had.
  bool should_start() const;
  enum class Outcome : unsigned char { started, refused, failed };
  /// STARTTLS. `refused`: the session goes on without TLS.
  Outcome start();
  /// Whether the session may go on without TLS.
  bool may_stay_plain();
  /// Whether a server that has been greeted for the last time can be given a message with REQUIRETLS.
  bool satisfies_sender();

 private:
  bool handshake();
  bool check_server();
  void report(std::optional<TlsFailure> failure, std::string reason = {});
  void report_server(bool good);
  bool asks_for(RequireTls what) const { return session_.policy.require >= what; }
  bool disappoint(std::string_view status, std::string why);
  bool fail(std::string_view status, std::string reason, Blame blame = Blame::destination);

  TlsEngine& engine_;
  const Settings& settings_;
  Ledger& ledger_;
  ServerSession& session_;
};

/// What comes of the sender's request in a session that is ready for mail.
RequireMark require_mark(const ServerSession& session);

}  // namespace postrider::smtp_client

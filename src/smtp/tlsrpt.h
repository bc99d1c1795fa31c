// Reports on handshakes to the service that collects them for the domains that ask for it (RFC 8460).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "smtp/tls_policy.h"

namespace postrider::smtp_client {

/// Why TLS was not what its policy wants: RFC 8460 section 4.3, with the numbers of the service's protocol.
enum class TlsFailure : int {
  starttls_not_supported = 201,
  certificate_host_mismatch = 202,
  certificate_not_trusted = 203,
  certificate_expired = 204,
  validation_failure = 205,
  sts_policy_fetch_error = 301,
  sts_policy_invalid = 302,
  sts_webpki_invalid = 303,
  tlsa_invalid = 304,
};

/// The type as log lines have it: "starttls_not_supported".
std::string_view name_of(TlsFailure failure);
/// What a policy table says in "policy_failure=".
std::optional<TlsFailure> parse_sts_failure(std::string_view word);

/// Whom reports are for.
struct TlsReportOrder {
  std::string domain;  ///< The destination's.
  std::string record;  ///< What it publishes: "v=TLSRPTv1; rua=mailto:...".
};

/// What became of one handshake.
struct TlsReport {
  TlsReportOrder order;
  const TlsPolicy* policy = nullptr;
  std::string sending_address;
  std::string host, address;  ///< The server's.
  std::string helo;           ///< Its name for itself; empty: it has not said.
  std::optional<TlsFailure> failure;
  std::string reason;  ///< More about a failure; may be empty.
};

/// The datagram for the service, in the protocol of sys4's libtlsrpt, version 1.
std::string report_datagram(const TlsReport& report);

class TlsReporter {
 public:
  /// Throws ConfigError where reports are wanted and there is no socket for them.
  TlsReporter(const config::Config& config, bool lmtp, dns::Resolver& resolver);

  bool enabled() const { return !socket_.empty(); }
  /// smtp_tlsrpt_skip_reused_handshakes
  bool skips_resumed() const { return skips_resumed_; }
  /// Nothing: the domain wants no reports, or that cannot be found out.
  std::optional<TlsReportOrder> find_order(std::string_view domain, Deadline deadline) const;
  /// Logs the report and sends it. A service that does not take it has missed it.
  void send(const TlsReport& report) const;

 private:
  dns::Resolver& resolver_;
  std::string socket_;  ///< Empty: no reports.
  bool skips_resumed_ = false;
};

}  // namespace postrider::smtp_client

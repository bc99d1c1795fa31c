// What the configuration says about TLS with servers (smtp_tls_* and lmtp_tls_*), beside tls::ClientSettings.
#pragma once

#include <string>

#include "base/deadline.h"
#include "config/config.h"
#include "tls/level.h"

namespace postrider::smtp_client {

struct TlsSettings {
  TlsSettings() = default;
  TlsSettings(const config::Config& config, bool lmtp);

  tls::Level level = tls::Level::none;
  bool has_tables = false;  ///< Destinations have policies of their own.
  bool wrapper = false;     ///< TLS begins with the connection.
  std::string protocols, mandatory_protocols;
  std::string ciphers, mandatory_ciphers;
  std::string excluded_ciphers, mandatory_excluded_ciphers;
  std::string fingerprints;
  std::string verify_match, secure_match;
  std::string trust_anchor_files;
  std::string server_name;
  bool connection_reuse = false;
  bool enforce_sts_patterns = true;

  tls::Level insecure_mx_policy = tls::Level::dane;
  bool force_tlsa_lookup = false;
  /// Why DANE cannot be had with this configuration, in words for the log; empty: it can.
  std::string dane_obstacle;

  bool shows_records = false;  ///< Of the DNS, in the log.
  bool note_offers = false;
  bool block_early_mail_reply = false;
  bool honour_tls_required = true;    ///< tls_required_enable
  bool honour_require_tls = true;     ///< requiretls_enable
  bool log_status = true;             ///< smtp_log_tls_feature_status
  seconds timeout{300};               ///< smtp_starttls_timeout
  Clock::duration plaintext_after{};  ///< Mail that has waited for so long may go without, where it can.
  bool fast_shutdown = true;

  /// Whether there is any use for TLS.
  bool wanted() const { return level > tls::Level::none || has_tables; }
};

}  // namespace postrider::smtp_client

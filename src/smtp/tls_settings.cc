#include "smtp/tls_settings.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/lmtp.h"
#include "config/params/lmtp_tls.h"
#include "config/params/qmgr.h"
#include "config/params/smtp.h"
#include "config/params/smtp_tls.h"
#include "config/params/system.h"
#include "config/params/tls.h"
#include "log/log.h"
#include "smtp/twin_parameters.h"
#include "tls/log_topics.h"

namespace postrider::smtp_client {

namespace params = config::params;

namespace {

tls::Level read_level(const TwinParameters& r) {
  std::string word = r.get(params::smtp_tls_security_level, params::lmtp_tls_security_level);
  if (!word.empty()) return tls::parse_level(word).value_or(tls::Level::none);
  // Older configurations.
  if (r.get(params::smtp_enforce_tls, params::lmtp_enforce_tls)) {
    return r.get(params::smtp_tls_enforce_peername, params::lmtp_tls_enforce_peername) ? tls::Level::verify
                                                                                       : tls::Level::encrypt;
  }
  return r.get(params::smtp_use_tls, params::lmtp_use_tls) ? tls::Level::may : tls::Level::none;
}

/// The DNS is believed when all of it that leads to a server is validated.
std::string read_dane_obstacle(const config::Config& config, const TwinParameters& r, bool lmtp) {
  std::string level = r.get(params::smtp_dns_support_level, params::lmtp_dns_support_level);
  bool uses_dns = false;
  std::string methods = r.get(params::smtp_host_lookup, params::lmtp_host_lookup);
  for (std::string_view word : split_any(methods, kListSeparators)) {
    uses_dns = uses_dns || equals_ignore_case(word, "dns");
  }
  if (level != "dnssec" || !uses_dns) return "{}: {} configured with dnssec lookups disabled";
  if (!lmtp && config.get(params::ignore_mx_lookup_error))
    return "{}: {} configured with MX lookup errors ignored";
  if (!r.get(params::smtp_dns_resolver_options, params::lmtp_dns_resolver_options).empty())
    return "{}: dns resolver options incompatible with {} TLS";
  return {};
}

}  // namespace

TlsSettings::TlsSettings(const config::Config& config, bool lmtp) {
  TwinParameters r(config, lmtp);
  level = read_level(r);
  std::string tables = r.get(params::smtp_tls_policy_maps, params::lmtp_tls_policy_maps);
  std::string sites = r.get(params::smtp_tls_per_site, params::lmtp_tls_per_site);
  has_tables = !tables.empty() || !sites.empty();
  wrapper = r.get(params::smtp_tls_wrappermode, params::lmtp_tls_wrappermode);
  protocols = r.get(params::smtp_tls_protocols, params::lmtp_tls_protocols);
  mandatory_protocols = r.get(params::smtp_tls_mandatory_protocols, params::lmtp_tls_mandatory_protocols);
  ciphers = r.get(params::smtp_tls_ciphers, params::lmtp_tls_ciphers);
  mandatory_ciphers = r.get(params::smtp_tls_mandatory_ciphers, params::lmtp_tls_mandatory_ciphers);
  excluded_ciphers = r.get(params::smtp_tls_exclude_ciphers, params::lmtp_tls_exclude_ciphers);
  mandatory_excluded_ciphers =
      r.get(params::smtp_tls_mandatory_exclude_ciphers, params::lmtp_tls_mandatory_exclude_ciphers);
  fingerprints = r.get(params::smtp_tls_fingerprint_cert_match, params::lmtp_tls_fingerprint_cert_match);
  verify_match = r.get(params::smtp_tls_verify_cert_match, params::lmtp_tls_verify_cert_match);
  secure_match = r.get(params::smtp_tls_secure_cert_match, params::lmtp_tls_secure_cert_match);
  trust_anchor_files = r.get(params::smtp_tls_trust_anchor_file, params::lmtp_tls_trust_anchor_file);
  server_name = r.get(params::smtp_tls_servername, params::lmtp_tls_servername);
  connection_reuse = r.get(params::smtp_tls_connection_reuse, params::lmtp_tls_connection_reuse);
  enforce_sts_patterns =
      r.get(params::smtp_tls_enforce_sts_mx_patterns, params::lmtp_tls_enforce_sts_mx_patterns);
  insecure_mx_policy =
      tls::parse_level(config.get(params::smtp_tls_dane_insecure_mx_policy)).value_or(tls::Level::dane);
  force_tlsa_lookup = r.get(params::smtp_tls_force_insecure_host_tlsa_lookup,
                            params::lmtp_tls_force_insecure_host_tlsa_lookup);
  dane_obstacle = read_dane_obstacle(config, r, lmtp);
  shows_records = tls::parse_log_topics(lmtp ? "lmtp_tls_loglevel" : "smtp_tls_loglevel",
                                        r.get(params::smtp_tls_loglevel, params::lmtp_tls_loglevel))
                      .has(tls::LogTopics::detail);
  note_offers = r.get(params::smtp_tls_note_starttls_offer, params::lmtp_tls_note_starttls_offer);
  block_early_mail_reply =
      r.get(params::smtp_tls_block_early_mail_reply, params::lmtp_tls_block_early_mail_reply);
  honour_tls_required = config.get(params::tls_required_enable);
  honour_require_tls = config.get(params::requiretls_enable);
  log_status = r.get(params::smtp_log_tls_feature_status, params::lmtp_log_tls_feature_status);
  timeout = r.get(params::smtp_starttls_timeout, params::lmtp_starttls_timeout);
  plaintext_after = config.get(params::minimal_backoff_time);
  fast_shutdown = config.get(params::tls_fast_shutdown_enable);
  if (!tables.empty() && !sites.empty()) {
    std::string prefix = lmtp ? "lmtp" : "smtp";
    log::warning("{0}_tls_per_site ignored when {0}_tls_policy_maps is not empty.", prefix);
  }
}

}  // namespace postrider::smtp_client

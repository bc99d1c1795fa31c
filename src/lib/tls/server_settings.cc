#include "base/text.h"
#include "config/params/smtpd_tls.h"
#include "config/params/tls.h"
#include "config/params/tlsproxy.h"
#include "tls/server.h"

namespace postrider::tls {

namespace params = config::params;

ServerSettings::ServerSettings(const config::Config& config, ServerRole role) {
  bool proxy = role == ServerRole::tlsproxy;
  auto get = [&](auto smtpd, decltype(smtpd) other) { return config.get(proxy ? other : smtpd); };
  identity.prefix = proxy ? "tlsproxy_tls_" : "smtpd_tls_";
  identity.chain_files = get(params::smtpd_tls_chain_files, params::tlsproxy_tls_chain_files);
  identity.pairs[0] = {"RSA", get(params::smtpd_tls_cert_file, params::tlsproxy_tls_cert_file),
                       get(params::smtpd_tls_key_file, params::tlsproxy_tls_key_file)};
  identity.pairs[1] = {"DSA", get(params::smtpd_tls_dcert_file, params::tlsproxy_tls_dcert_file),
                       get(params::smtpd_tls_dkey_file, params::tlsproxy_tls_dkey_file)};
  identity.pairs[2] = {"ECDSA", get(params::smtpd_tls_eccert_file, params::tlsproxy_tls_eccert_file),
                       get(params::smtpd_tls_eckey_file, params::tlsproxy_tls_eckey_file)};
  authorities = {get(params::smtpd_tls_CAfile, params::tlsproxy_tls_CAfile),
                 get(params::smtpd_tls_CApath, params::tlsproxy_tls_CApath),
                 config.get(params::tls_append_default_CA)};
  dh_file = get(params::smtpd_tls_dh1024_param_file, params::tlsproxy_tls_dh1024_param_file);
  asks_certificate = get(params::smtpd_tls_ask_ccert, params::tlsproxy_tls_ask_ccert);
  requires_certificate = get(params::smtpd_tls_req_ccert, params::tlsproxy_tls_req_ccert);
  verify_depth = get(params::smtpd_tls_ccert_verifydepth, params::tlsproxy_tls_ccert_verifydepth);
  protocols = get(params::smtpd_tls_protocols, params::tlsproxy_tls_protocols);
  mandatory_protocols = get(params::smtpd_tls_mandatory_protocols, params::tlsproxy_tls_mandatory_protocols);
  ciphers = get(params::smtpd_tls_ciphers, params::tlsproxy_tls_ciphers);
  mandatory_ciphers = get(params::smtpd_tls_mandatory_ciphers, params::tlsproxy_tls_mandatory_ciphers);
  excluded_ciphers = get(params::smtpd_tls_exclude_ciphers, params::tlsproxy_tls_exclude_ciphers);
  mandatory_excluded_ciphers =
      get(params::smtpd_tls_mandatory_exclude_ciphers, params::tlsproxy_tls_mandatory_exclude_ciphers);
  fingerprint_digest = get(params::smtpd_tls_fingerprint_digest, params::tlsproxy_tls_fingerprint_digest);
  topics = parse_log_topics(proxy ? "tlsproxy_tls_loglevel" : "smtpd_tls_loglevel",
                            get(params::smtpd_tls_loglevel, params::tlsproxy_tls_loglevel));
  // What is kept is the same for all who serve clients.
  session_cache = config.get(params::smtpd_tls_session_cache_database);
  session_timeout = config.get(params::smtpd_tls_session_cache_timeout);
  ticket_cipher = config.get(params::tls_session_ticket_cipher);
  always_session_ids =
      get(params::smtpd_tls_always_issue_session_ids, params::tlsproxy_tls_always_issue_session_ids);
  server_name_maps = config.get(params::tls_server_sni_maps);
  service = config.service_name();
}

}  // namespace postrider::tls

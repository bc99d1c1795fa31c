#include "config/params/lmtp_tls.h"
#include "config/params/smtp_tls.h"
#include "config/params/tls.h"
#include "config/params/tlsproxy.h"
#include "tls/client.h"

namespace postrider::tls {

namespace params = config::params;

namespace {

void read_common(ClientSettings& out, const config::Config& config) {
  out.authorities.append_default = config.get(params::tls_append_default_CA);
  out.dane_digests = config.get(params::tls_dane_digests);
  out.wildcards_match_labels = config.get(params::tls_wildcard_matches_multiple_labels);
}

}  // namespace

ClientSettings::ClientSettings(const config::Config& config, bool lmtp) {
  auto get = [&](auto smtp, decltype(smtp) other) { return config.get(lmtp ? other : smtp); };
  cache_name = lmtp ? "lmtp" : "smtp";
  identity.prefix = cache_name + "_tls_";
  identity.chain_files = get(params::smtp_tls_chain_files, params::lmtp_tls_chain_files);
  identity.pairs[0] = {"RSA", get(params::smtp_tls_cert_file, params::lmtp_tls_cert_file),
                       get(params::smtp_tls_key_file, params::lmtp_tls_key_file)};
  identity.pairs[1] = {"DSA", get(params::smtp_tls_dcert_file, params::lmtp_tls_dcert_file),
                       get(params::smtp_tls_dkey_file, params::lmtp_tls_dkey_file)};
  identity.pairs[2] = {"ECDSA", get(params::smtp_tls_eccert_file, params::lmtp_tls_eccert_file),
                       get(params::smtp_tls_eckey_file, params::lmtp_tls_eckey_file)};
  authorities = {get(params::smtp_tls_CAfile, params::lmtp_tls_CAfile),
                 get(params::smtp_tls_CApath, params::lmtp_tls_CApath)};
  verify_depth = get(params::smtp_tls_scert_verifydepth, params::lmtp_tls_scert_verifydepth);
  fingerprint_digest = get(params::smtp_tls_fingerprint_digest, params::lmtp_tls_fingerprint_digest);
  read_common(*this, config);
  topics = parse_log_topics(lmtp ? "lmtp_tls_loglevel" : "smtp_tls_loglevel",
                            get(params::smtp_tls_loglevel, params::lmtp_tls_loglevel));
  session_cache = get(params::smtp_tls_session_cache_database, params::lmtp_tls_session_cache_database);
  session_timeout = get(params::smtp_tls_session_cache_timeout, params::lmtp_tls_session_cache_timeout);
}

ClientSettings ClientSettings::of_tlsproxy(const config::Config& c) {
  ClientSettings out;
  out.cache_name = "smtp";
  out.identity = {
      "tlsproxy_client_",
      c.get(params::tlsproxy_client_chain_files),
      {{"RSA", c.get(params::tlsproxy_client_cert_file), c.get(params::tlsproxy_client_key_file)},
       {"DSA", c.get(params::tlsproxy_client_dcert_file), c.get(params::tlsproxy_client_dkey_file)},
       {"ECDSA", c.get(params::tlsproxy_client_eccert_file), c.get(params::tlsproxy_client_eckey_file)}}};
  out.authorities = {c.get(params::tlsproxy_client_CAfile), c.get(params::tlsproxy_client_CApath)};
  out.verify_depth = c.get(params::tlsproxy_client_scert_verifydepth);
  out.fingerprint_digest = c.get(params::tlsproxy_client_fingerprint_digest);
  read_common(out, c);
  out.topics = parse_log_topics(c.get(params::tlsproxy_client_loglevel_parameter),
                                c.get(params::tlsproxy_client_loglevel));
  out.session_cache = c.get(params::smtp_tls_session_cache_database);
  out.session_timeout = c.get(params::smtp_tls_session_cache_timeout);
  return out;
}

}  // namespace postrider::tls

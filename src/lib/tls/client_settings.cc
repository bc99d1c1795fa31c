#include "config/params/lmtp_tls.h"
#include "config/params/smtp_tls.h"
#include "config/params/tls.h"
#include "tls/client.h"

namespace postrider::tls {

namespace params = config::params;

ClientSettings::ClientSettings(const config::Config& config, bool lmtp) {
  auto get = [&](auto smtp, decltype(smtp) other) { return config.get(lmtp ? other : smtp); };
  cache_name = lmtp ? "lmtp" : "smtp";
  identity.side = cache_name;
  identity.chain_files = get(params::smtp_tls_chain_files, params::lmtp_tls_chain_files);
  identity.pairs[0] = {"RSA", get(params::smtp_tls_cert_file, params::lmtp_tls_cert_file),
                       get(params::smtp_tls_key_file, params::lmtp_tls_key_file)};
  identity.pairs[1] = {"DSA", get(params::smtp_tls_dcert_file, params::lmtp_tls_dcert_file),
                       get(params::smtp_tls_dkey_file, params::lmtp_tls_dkey_file)};
  identity.pairs[2] = {"ECDSA", get(params::smtp_tls_eccert_file, params::lmtp_tls_eccert_file),
                       get(params::smtp_tls_eckey_file, params::lmtp_tls_eckey_file)};
  authorities = {get(params::smtp_tls_CAfile, params::lmtp_tls_CAfile),
                 get(params::smtp_tls_CApath, params::lmtp_tls_CApath),
                 config.get(params::tls_append_default_CA)};
  verify_depth = get(params::smtp_tls_scert_verifydepth, params::lmtp_tls_scert_verifydepth);
  fingerprint_digest = get(params::smtp_tls_fingerprint_digest, params::lmtp_tls_fingerprint_digest);
  dane_digests = config.get(params::tls_dane_digests);
  wildcards_match_labels = config.get(params::tls_wildcard_matches_multiple_labels);
  log_level = parse_log_level(lmtp ? "lmtp_tls_loglevel" : "smtp_tls_loglevel",
                              get(params::smtp_tls_loglevel, params::lmtp_tls_loglevel));
  session_cache = get(params::smtp_tls_session_cache_database, params::lmtp_tls_session_cache_database);
  session_timeout = get(params::smtp_tls_session_cache_timeout, params::lmtp_tls_session_cache_timeout);
}

}  // namespace postrider::tls

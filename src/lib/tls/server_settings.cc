#include "base/text.h"
#include "config/params/smtpd_tls.h"
#include "config/params/tls.h"
#include "tls/server.h"

namespace postrider::tls {

namespace params = config::params;

ServerSettings::ServerSettings(const config::Config& c)
    : identity{"smtpd",
               c.get(params::smtpd_tls_chain_files),
               {{"RSA", c.get(params::smtpd_tls_cert_file), c.get(params::smtpd_tls_key_file)},
                {"DSA", c.get(params::smtpd_tls_dcert_file), c.get(params::smtpd_tls_dkey_file)},
                {"ECDSA", c.get(params::smtpd_tls_eccert_file), c.get(params::smtpd_tls_eckey_file)}}},
      authorities{c.get(params::smtpd_tls_CAfile), c.get(params::smtpd_tls_CApath),
                  c.get(params::tls_append_default_CA)},
      dh_file(c.get(params::smtpd_tls_dh1024_param_file)),
      asks_certificate(c.get(params::smtpd_tls_ask_ccert)),
      requires_certificate(c.get(params::smtpd_tls_req_ccert)),
      verify_depth(c.get(params::smtpd_tls_ccert_verifydepth)),
      protocols(c.get(params::smtpd_tls_protocols)),
      mandatory_protocols(c.get(params::smtpd_tls_mandatory_protocols)),
      ciphers(c.get(params::smtpd_tls_ciphers)),
      mandatory_ciphers(c.get(params::smtpd_tls_mandatory_ciphers)),
      excluded_ciphers(c.get(params::smtpd_tls_exclude_ciphers)),
      mandatory_excluded_ciphers(c.get(params::smtpd_tls_mandatory_exclude_ciphers)),
      fingerprint_digest(c.get(params::smtpd_tls_fingerprint_digest)),
      log_level(parse_log_level("smtpd_tls_loglevel", c.get(params::smtpd_tls_loglevel))),
      session_cache(c.get(params::smtpd_tls_session_cache_database)),
      session_timeout(c.get(params::smtpd_tls_session_cache_timeout)),
      ticket_cipher(c.get(params::tls_session_ticket_cipher)),
      always_session_ids(c.get(params::smtpd_tls_always_issue_session_ids)),
      server_name_maps(c.get(params::tls_server_sni_maps)),
      service(c.service_name()) {}

}  // namespace postrider::tls

#include "tls/client_setup.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "log/log.h"
#include "sys/socket.h"
#include "tls/protocols.h"
#include "tls/verification.h"

namespace postrider::tls {

namespace {

/// TLS 1.3 has several tickets for one session: the last one is as good as any.
int on_new_session(SSL* connection, SSL_SESSION* made) {
  Session& session = Session::of(connection);
  if (session.session_key.empty()) return 0;
  unsigned char* data = nullptr;
  int size = i2d_SSL_SESSION(made, &data);
  if (size > 0) {
    session.to_save.clear();
    session.to_save.emplace_back(session.session_key,
                                 std::string(reinterpret_cast<char*>(data), static_cast<size_t>(size)));
  }
  OPENSSL_free(data);
  return 0;
}

bool set_protocols(SSL* connection, const std::string& server, const std::string& list) {
  auto versions = parse_protocols(list);
  if (versions) {
    SSL_set_options(connection, versions->excluded);
    if (SSL_set_min_proto_version(connection, versions->min) == 1 &&
        SSL_set_max_proto_version(connection, versions->max) == 1) {
      return true;
    }
    ERR_clear_error();
  }
  log::warning("{}: Invalid TLS protocol list \"{}\": aborting TLS session", server, list);
  return false;
}

bool set_ciphers(SSL* connection, const Client::State& client, const std::string& server,
                 const Demands& demands) {
  auto list = grade_list(client.library.ciphers, demands.cipher_grade);
  if (!list) {
    log::warning("{}: invalid cipher grade: \"{}\"", server, demands.cipher_grade);
    return false;
  }
  std::string ciphers = with_exclusions(*list, demands.cipher_exclusions);
  // Encryption that does not encrypt, and servers that have agreed on not showing anything.
  if (demands.level == Level::encrypt) ciphers = with_exclusions(ciphers, "eNULL");
  if (must_match(demands.level)) ciphers = with_exclusions(ciphers, "aNULL");
  if (SSL_set_cipher_list(connection, ciphers.c_str()) != 1) {
    log::warning("{}: error setting cipher grade: \"{}\"", server, demands.cipher_grade);
    log_errors();
    return false;
  }
  if (client.settings.topics.has(LogTopics::detail)) log::info("{}: TLS cipher list \"{}\"", server, ciphers);
  return true;
}

void add_names(SSL* connection, const Client::State& client, const std::string& server,
               const std::vector<std::string>& names) {
  unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  if (client.settings.wildcards_match_labels) flags |= X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS;
  SSL_set_hostflags(connection, flags);
  bool any = false;
  for (const std::string& name : names) {
    if (name == ".") {
      log::warning("{}: ignoring invalid match name: \".\"", server);
    } else if (SSL_add1_host(connection, name.c_str()) != 1) {
      log::warning("{}: error loading match name: \"{}\"", server, printable(name));
      log_errors();
    } else {
      any = true;
    }
  }
  if (any) return;
  // Without any, OpenSSL would take a certificate of any name.
  log::warning("{}: could not configure peer name checks", server);
  Session::of(connection).problems.note(X509_V_ERR_UNSPECIFIED, 0, nullptr);
}

std::string_view kind_of(Level level) {
  return level == Level::fingerprint ? "fingerprints"
         : needs_authority(level)    ? "trust anchors"
                                     : "TLSA records";
}

/// With records of DANE, OpenSSL looks for those instead of authorities.
bool add_records(SSL* connection, const std::string& server, const Demands& demands) {
  const char* base = demands.base_domain.empty() ? nullptr : demands.base_domain.c_str();
  if (SSL_dane_enable(connection, base) != 1) {
    log::warning("{}: error enabling {} certificate validation", server,
                 demands.level == Level::fingerprint ? "fingerprint" : "DANE-based");
    log_errors();
    return false;
  }
  // A key that is known needs no name (RFC 7672 section 3.1.1).
  SSL_dane_set_flags(connection, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  bool any = false;
  for (const Tlsa& record : demands.records) {
    const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
    int added = SSL_dane_tlsa_add(connection, record.usage, record.selector, record.matching, data,
                                  record.data.size());
    any = any || added > 0;
    if (added > 0) continue;
    log::warning("{}: unusable TLSA RR: {}", server, tlsa_text(record));
    if (added < 0) log_errors();
    ERR_clear_error();
  }
  if (any) return true;
  // Without any, OpenSSL would go by the authorities again, and take whomever they vouch for.
  log::warning("{}: all {} unusable", server, kind_of(demands.level));
  Session::of(connection).problems.note(X509_V_ERR_UNSPECIFIED, 0, nullptr);
  return true;
}

bool set_server_name(SSL* connection, const Client::State& client, const std::string& server,
                     std::string name) {
  // RFC 6066 section 3: names only.
  if (name.empty() || sys::Address::from_ip(name)) return true;
  if (name.size() > TLSEXT_MAXLEN_host_name) {
    log::warning("{}: ignoring too long SNI hostname: {}", server, printable(name.substr(0, 100)));
    return true;
  }
  if (SSL_set_tlsext_host_name(connection, name.data()) != 1) {
    log::warning("{}: error setting SNI hostname to: {}", server, printable(name));
    log_errors();
    return false;
  }
  if (client.settings.topics.has(LogTopics::progress))
    log::info("{}: SNI hostname: {}", server, printable(name));
  return true;
}

}  // namespace

Result<void> Client::State::set_up() {
  if (settings.topics.has(LogTopics::detail)) log::info("initializing the client-side TLS engine");
  TRY(prepare_library(library));
  digest = find_digest(settings.fingerprint_digest);
  if (digest == nullptr) {
    log::warning("Digest algorithm \"{}\" not found", settings.fingerprint_digest);
    return fail(ErrorKind::invalid, "disabling TLS support");
  }
  context.reset(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(ErrorKind::temporary, "cannot allocate client SSL_CTX: disabling TLS support");
  // Protocols differ by server.
  TRY(configure(context.get(), library, ""));
  TRY(load_authorities(context.get(), settings.authorities));
  TRY(load_identity(context.get(), settings.identity));
  if (!digests.apply(context.get(), digest))
    return fail(ErrorKind::invalid, "OpenSSL DANE initialization failed: disabling TLS support");
  SSL_CTX_set_verify_depth(context.get(), settings.verify_depth);
  // Servers that prove nothing are welcome where that is not asked for: on_verify lets all pass.
  look_at_peers(context.get(), SSL_VERIFY_PEER);
  keep_sessions();
  if (settings.topics.has(LogTopics::progress)) log_progress(context.get());
  return {};
}

void Client::State::keep_sessions() {
  SSL_CTX* c = context.get();
  resumes = settings.session_timeout.count() > 0 && !settings.session_cache.empty();
  if (!resumes) {
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    return;
  }
  SSL_CTX_set_session_cache_mode(
      c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
  SSL_CTX_sess_set_new_cb(c, on_new_session);
}

bool prepare(SSL* connection, const Client::State& client, const std::string& server,
             const Demands& demands) {
  if (!set_protocols(connection, server, demands.protocols)) return false;
  if (!set_ciphers(connection, client, server, demands)) return false;
  if (!demands.records.empty() && !add_records(connection, server, demands)) return false;
  bool by_name = needs_authority(demands.level) || is_dane(demands.level);
  if (by_name) add_names(connection, client, server, demands.names);
  return set_server_name(connection, client, server, demands.server_name);
}

}  // namespace postrider::tls

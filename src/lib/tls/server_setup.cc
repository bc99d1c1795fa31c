#include "tls/server_setup.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "log/log.h"
#include "sys/file.h"
#include "tls/tickets.h"
#include "tls/verification.h"

namespace postrider::tls {

namespace {

constexpr size_t kMaxFile = size_t{1} << 20;

SSL_SESSION* on_find_session(SSL* connection, const unsigned char* id, int size, int* copy) {
  *copy = 0;
  Session& session = Session::of(connection);
  std::string_view wanted(reinterpret_cast<const char*>(id), static_cast<size_t>(size));
  if (!session.saved || session.saved->first != wanted) return nullptr;
  const auto* data = reinterpret_cast<const unsigned char*>(session.saved->second.data());
  SSL_SESSION* found = d2i_SSL_SESSION(nullptr, &data, static_cast<long>(session.saved->second.size()));
  ERR_clear_error();
  return found;
}

int on_new_session(SSL* connection, SSL_SESSION* made) {
  // Those of TLS 1.3 are only found by their tickets.
  if (SSL_version(connection) >= TLS1_3_VERSION) return 0;
  unsigned id_size = 0;
  const unsigned char* id = SSL_SESSION_get_id(made, &id_size);
  unsigned char* data = nullptr;
  int size = i2d_SSL_SESSION(made, &data);
  if (id_size > 0 && size > 0) {
    Session::of(connection)
        .to_save.emplace_back(std::string(reinterpret_cast<const char*>(id), id_size),
                              std::string(reinterpret_cast<char*>(data), static_cast<size_t>(size)));
  }
  OPENSSL_free(data);
  return 0;
}

}  // namespace

Result<void> Server::State::set_up() {
  if (settings.topics.has(LogTopics::detail)) log::info("initializing the server-side TLS engine");
  asks_certificate = settings.asks_certificate || settings.requires_certificate;
  requires_certificate = settings.requires_certificate && mandatory;
  if (settings.requires_certificate && !mandatory) {
    log::warning("Can't require client certs unless TLS is required");
    asks_certificate = true;
  }
  TRY(prepare_library(library));
  digest = find_digest(settings.fingerprint_digest);
  if (digest == nullptr) {
    log::warning("Digest algorithm \"{}\" not found", settings.fingerprint_digest);
    return fail(ErrorKind::invalid, "disabling TLS support");
  }
  context.reset(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(ErrorKind::temporary, "cannot allocate server SSL_CTX: disabling TLS support");
  TRY(configure(context.get(), library, mandatory ? settings.mandatory_protocols : settings.protocols));
  TRY(load_certificates());
  TRY(set_up_authorities());
  load_dh();
  choose_ciphers();
  keep_sessions();
  if (settings.topics.has(LogTopics::progress)) log_progress(context.get());
  return {};
}

Result<void> Server::State::load_certificates() {
  const IdentityFiles& identity = settings.identity;
  if (identity.chain_files.empty() && equals_ignore_case(identity.pairs[0].certificate, "none")) return {};
  if (!TRY(load_identity(context.get(), identity)))
    return fail(ErrorKind::not_found, "No server certs available. TLS won't be enabled");
  return {};
}

Result<void> Server::State::set_up_authorities() {
  TRY(load_authorities(context.get(), settings.authorities));
  SSL_CTX_set_verify_depth(context.get(), settings.verify_depth);
  if (!asks_certificate) return {};
  // Clients choose their certificate by these names.
  const std::string& file = settings.authorities.file;
  if (!file.empty()) SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(file.c_str()));
  look_at_peers(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE);
  return {};
}

void Server::State::load_dh() {
  const std::string& path = settings.dh_file;
  if (!path.empty() && !equals_ignore_case(path, "auto")) {
    auto text = sys::read_file(path, kMaxFile);
    if (!text) {
      log::warning("error opening DH parameter file \"{}\": {} -- using compiled-in defaults", path,
                   text.error().code != 0 ? strerror(text.error().code) : text.error().text.c_str());
    } else {
      Bio bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
      Key parameters(PEM_read_bio_Parameters(bio.get(), nullptr));
      if (parameters && SSL_CTX_set0_tmp_dh_pkey(context.get(), parameters.get()) == 1) {
        (void)parameters.release();
        return;
      }
      log::warning("error reading DH parameters from \"{}\" -- using compiled-in defaults", path);
      log_errors();
    }
  }
  SSL_CTX_set_dh_auto(context.get(), 1);
}

void Server::State::choose_ciphers() {
  const std::string& grade = mandatory ? settings.mandatory_ciphers : settings.ciphers;
  auto list = grade_list(library.ciphers, grade);
  if (!list) {
    cipher_problem = fmt::format("invalid cipher grade: \"{}\"", grade);
    return;
  }
  cipher_list = with_exclusions(*list, settings.excluded_ciphers);
  if (mandatory) cipher_list = with_exclusions(cipher_list, settings.mandatory_excluded_ciphers);
  // Nobody shows a certificate who has agreed on not showing any.
  if (asks_certificate) cipher_list = with_exclusions(cipher_list, "aNULL");
  if (SSL_CTX_set_cipher_list(context.get(), cipher_list.c_str()) == 1) return;
  log_errors();
  cipher_problem = fmt::format("error setting cipher grade: \"{}\"", grade);
}

void Server::State::keep_sessions() {
  SSL_CTX* c = context.get();
  std::string id = settings.service.substr(0, SSL_MAX_SID_CTX_LENGTH);
  SSL_CTX_set_session_id_context(c, reinterpret_cast<const unsigned char*>(id.data()),
                                 static_cast<unsigned>(id.size()));
  bool resumes = settings.session_timeout.count() > 0;
  bool stores = resumes && !settings.session_cache.empty();
  const EVP_CIPHER* cipher = resumes ? find_ticket_cipher(settings.ticket_cipher) : nullptr;
  has_tickets = cipher != nullptr && (SSL_CTX_get_options(c) & SSL_OP_NO_TICKET) == 0;
  if (has_tickets) {
    use_tickets(c, cipher);
  } else {
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(c, 0);
  }
  // As long as the key of its ticket.
  if (resumes) SSL_CTX_set_timeout(c, settings.session_timeout.count());
  long mode = SSL_SESS_CACHE_OFF;
  if (stores || settings.always_session_ids) {
    mode = SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR;
  }
  SSL_CTX_set_session_cache_mode(c, mode);
  if (!stores) return;
  SSL_CTX_sess_set_get_cb(c, on_find_session);
  SSL_CTX_sess_set_new_cb(c, on_new_session);
}

}  // namespace postrider::tls

#include "tls/server_setup.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "log/log.h"
#include "sys/file.h"
#include "tls/chain.h"
#include "tls/tickets.h"

namespace postrider::tls {

namespace {

constexpr size_t kMaxFile = size_t{4} << 20;

Result<PemFile> read_pem(const std::string& path) {
  auto text = sys::read_file(path, kMaxFile);
  if (!text) {
    return fail(ErrorKind::not_found, fmt::format("error opening chain file: {}: {}", path,
                                                  text.error().code != 0 ? strerror(text.error().code)
                                                                         : text.error().text.c_str()));
  }
  return PemFile{path, std::move(*text)};
}

/// Certificates are taken as they are; what is wrong with them is looked at when the handshake is over.
int on_verify(int good, X509_STORE_CTX* store) {
  auto* connection =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Session& session = Session::of(connection);
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  int depth = X509_STORE_CTX_get_error_depth(store);
  if (depth > SSL_get_verify_depth(connection) && good == 1) {
    good = 0;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
  }
  if (good == 0) session.note_verify_error(X509_STORE_CTX_get_error(store), certificate);
  if (session.labels().log_level >= 2) {
    log::info("{}: depth={} verify={} subject={}", session.labels().peer, depth, good,
              certificate ? one_line(X509_get_subject_name(certificate)) : std::string());
  }
  return 1;
}

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
  if (settings.log_level >= 2) log::info("initializing the server-side TLS engine");
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
  TRY(load_authorities());
  load_dh();
  choose_ciphers();
  keep_sessions();
  if (settings.log_level >= 2) log_progress(context.get());
  return {};
}

Result<void> Server::State::load_certificates() {
  if (!settings.chain_files.empty()) return load_chain_files();
  if (equals_ignore_case(settings.pairs[0].certificate, "none")) return {};
  bool any = false;
  for (const ServerSettings::Pair& pair : settings.pairs) {
    if (pair.certificate.empty()) continue;
    TRY(load_pair(pair));
    any = true;
  }
  if (!any) return fail(ErrorKind::not_found, "No server certs available. TLS won't be enabled");
  return {};
}

Result<void> Server::State::load_chain_files() {
  for (const ServerSettings::Pair& pair : settings.pairs) {
    if (pair.certificate.empty() || equals_ignore_case(pair.certificate, "none")) continue;
    log::warning(
        "Both smtpd_tls_chain_files and one or more of the legacy  smtpd_tls_cert_file, "
        "smtpd_tls_eccert_file or smtpd_tls_dcert_file are non-empty; the legacy  parameters will be "
        "ignored");
    break;
  }
  std::vector<PemFile> files;
  for (std::string_view path : split_any(settings.chain_files, kListSeparators))
    files.push_back(TRY(read_pem(std::string(path))));
  auto failed = [&](const Error& error) {
    log::warning("{}", error.text);
    return fail(ErrorKind::invalid,
                fmt::format("error loading private keys and certificates from: {}: disabling TLS "
                            "support",
                            settings.chain_files));
  };
  auto chains = read_chains(files);
  if (!chains) return failed(chains.error());
  for (const Chain& chain : *chains) {
    if (auto used = use_chain(context.get(), chain); !used) return failed(used.error());
  }
  return {};
}

Result<void> Server::State::load_pair(const ServerSettings::Pair& pair) {
  PemFile certificates = TRY(read_pem(pair.certificate));
  if (pair.key == pair.certificate) {
    auto chain = read_pair(certificates, certificates);
    if (chain && use_chain(context.get(), *chain)) return {};
    if (!chain) log::warning("{}", chain.error().text);
    return fail(ErrorKind::invalid,
                fmt::format("error loading private keys and certificates from: {}: disabling TLS "
                            "support",
                            pair.certificate));
  }
  auto no_key = [&] {
    return fail(ErrorKind::invalid,
                fmt::format("cannot get {} private key from file \"{}\": disabling TLS support", pair.kind,
                            pair.key));
  };
  auto key_text = sys::read_file(pair.key, kMaxFile);
  if (!key_text) {
    log::warning("{}", key_text.error().text);
    return no_key();
  }
  auto chain = read_pair(certificates, {pair.key, std::move(*key_text)});
  if (!chain) log::warning("{}", chain.error().text);
  if (!chain || !use_chain(context.get(), *chain)) return no_key();
  return {};
}

Result<void> Server::State::load_authorities() {
  const std::string &file = settings.authorities_file, &path = settings.authorities_path;
  if (!file.empty() || !path.empty()) {
    const char* file_name = file.empty() ? nullptr : file.c_str();
    const char* path_name = path.empty() ? nullptr : path.c_str();
    if (SSL_CTX_load_verify_locations(context.get(), file_name, path_name) != 1) {
      std::string what;
      if (file_name != nullptr) what += fmt::format(" CAfile=\"{}\"", file);
      if (path_name != nullptr) what += fmt::format(" CApath=\"{}\"", path);
      log::info("cannot load Certification Authority data,{}: disabling TLS support", what);
      return fail(ErrorKind::invalid, "");
    }
    if (library.append_default_authorities) SSL_CTX_set_default_verify_paths(context.get());
  } else if (library.append_default_authorities) {
    SSL_CTX_set_default_verify_paths(context.get());
  }
  SSL_CTX_set_verify_depth(context.get(), settings.verify_depth);
  if (!asks_certificate) return {};
  // Clients choose their certificate by these names.
  if (!file.empty()) SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(file.c_str()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, on_verify);
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

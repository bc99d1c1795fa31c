#include "tls/server.h"

#include <openssl/err.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"
#include "tls/chain.h"
#include "tls/server_name.h"
#include "tls/server_setup.h"
#include "tls/tickets.h"

namespace postrider::tls {

namespace {

std::string server_name_in(SSL* connection) {
  const unsigned char* data = nullptr;
  size_t size = 0;
  if (SSL_client_hello_get0_ext(connection, TLSEXT_TYPE_server_name, &data, &size) != 1) return {};
  return parse_server_name(std::string_view(reinterpret_cast<const char*>(data), size));
}

/// The first message is kept for the fiber, which looks up what it names; the next time all goes on.
int on_client_hello(SSL* connection, int*, void*) {
  Session& session = Session::of(connection);
  if (session.hello.seen) return SSL_CLIENT_HELLO_SUCCESS;
  session.hello.seen = true;
  session.hello.server_name = server_name_in(connection);
  const unsigned char* id = nullptr;
  size_t id_size = SSL_client_hello_get0_session_id(connection, &id);
  session.hello.session_id.assign(reinterpret_cast<const char*>(id), id_size);
  const unsigned char* versions = nullptr;
  size_t size = 0;
  session.hello.newest =
      (SSL_get_options(connection) & SSL_OP_NO_TLSv1_3) == 0 &&
      SSL_client_hello_get0_ext(connection, TLSEXT_TYPE_supported_versions, &versions, &size) == 1;
  return SSL_CLIENT_HELLO_RETRY;
}

/// Tells the client whether its name has made a difference.
int on_server_name(SSL* connection, int*, void*) {
  return Session::of(connection).info().server_name.empty() ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

/// The chain for the name that the client asks for. False: the handshake cannot go on.
bool choose_chain(Session& session, ServerSupport& support, Deadline deadline) {
  const std::string name = session.hello.server_name;
  if (name.empty()) return true;
  const std::string& client = session.labels().peer;
  if (!mail::valid_hostname(name)) {
    log::warning("TLS SNI from {} is invalid: {}", client, printable(name));
    return true;
  }
  auto pem = support.find_chain(name, deadline);
  if (!pem) {
    log::warning("TLS SNI {} from {}: {}", name, client, pem.error().text);
    return false;
  }
  if (!*pem) {
    log::info("TLS SNI {} from {} not matched, using default chain", name, client);
    return true;
  }
  auto chains = read_chains({{name, std::move(**pem)}});
  if (chains) SSL_certs_clear(session.connection());
  for (size_t i = 0; chains && i < chains->size(); ++i) {
    if (auto used = use_chain(session.connection(), (*chains)[i]); !used)
      chains = std::unexpected(used.error());
  }
  if (!chains) {
    log::warning("error loading private keys and certificates for TLS SNI {}: {}", name, chains.error().text);
    log_errors();
    return false;
  }
  session.info().server_name = name;
  return true;
}

/// The library's version stands in the key: what it has saved is read by the same one only.
std::string cache_key(std::string_view id, const std::string& service) {
  std::string out;
  for (char c : id) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out + "&s=" + service + "&l=" + std::to_string(OpenSSL_version_num());
}

}  // namespace

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

std::unique_ptr<Server> Server::create(const ServerSettings& settings, const LibrarySettings& library,
                                       bool mandatory) {
  auto state = std::make_unique<State>(settings, library, mandatory);
  if (auto done = state->set_up(); !done) {
    if (!done.error().text.empty()) log::warning("{}", done.error().text);
    log_errors();
    return nullptr;
  }
  SSL_CTX* context = state->context.get();
  bool looks_up = !settings.server_name_maps.empty() || !settings.session_cache.empty();
  if (looks_up) SSL_CTX_set_client_hello_cb(context, on_client_hello, nullptr);
  if (!settings.server_name_maps.empty()) SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::vector<std::string> Server::required_paths() const {
  return tls::required_paths(state_->settings.authorities);
}

/// One handshake.
class Acceptance {
 public:
  Acceptance(const Server::State& server, Session& session, ServerSupport& support, Deadline deadline)
      : server_(server), session_(session), support_(support), deadline_(deadline) {}

  bool run(io::Stream& stream) {
    for (;;) {
      switch (session_.handshake(stream, "SSL_accept", deadline_)) {
        case Session::Step::done:
          return true;
        case Session::Step::failed:
          return false;
        case Session::Step::client_hello:
          if (!look_up()) return false;
      }
    }
  }

  void conclude() {
    for (const auto& [id, data] : std::exchange(session_.to_save, {})) {
      std::string key = cache_key(id, server_.settings.service);
      if (logs(LogTopics::cache)) log::info("{}: save session {} to smtpd cache", client(), key);
      support_.save_session(key, data, deadline_);
    }
    session_.saved.reset();
    session_.hello = {};
    session_.note_handshake();
    session_.note_peer(server_.digest);
    note_client_identity();
    log_result();
  }

 private:
  const std::string& client() const { return session_.labels().peer; }
  bool logs(LogTopics::Topic topic) const { return session_.labels().topics.has(topic); }

  bool look_up() {
    if (!server_.settings.session_cache.empty()) find_saved();
    return server_.settings.server_name_maps.empty() || choose_chain(session_, support_, deadline_);
  }

  /// The ids that clients of TLS 1.3 make up are no sessions.
  void find_saved() {
    const std::string& id = session_.hello.session_id;
    if (id.empty() || session_.hello.newest) return;
    std::string key = cache_key(id, server_.settings.service);
    if (logs(LogTopics::cache)) log::info("{}: looking up session {} in smtpd cache", client(), key);
    auto found = support_.find_session(key, deadline_);
    if (!found) return;
    if (logs(LogTopics::cache)) log::info("{}: reloaded session {} from smtpd cache", client(), key);
    session_.saved.emplace(id, std::move(*found));
  }

  void note_client_identity() {
    using Client = mail::ReceivedTls::Client;
    Info& info = session_.info();
    mail::ReceivedTls& out = info.handshake;
    out.client_identity = info.peer.present          ? Client::certificate
                          : server_.asks_certificate ? Client::none
                                                     : Client::not_asked;
    out.common_name = info.peer.common_name;
    out.issuer = info.peer.issuer_name;
    out.trusted = info.peer.trusted;
  }

  void log_result() const {
    const Info& info = session_.info();
    const Peer& peer = info.peer;
    if (logs(LogTopics::cache) && info.resumed) {
      log::info("{}: Reusing old session{}", client(),
                session_.used_ticket ? " (RFC 5077 session ticket)" : "");
    }
    if (peer.present && logs(LogTopics::certificate)) {
      log::info("subject={}", peer.subject);
      log::info("issuer={}", peer.issuer);
      log::info("{}: subject_CN={}, issuer={}, fingerprint={}, pkey_fingerprint={}", client(),
                peer.common_name, peer.issuer_name, peer.certificate_fingerprint, peer.key_fingerprint);
    }
    if (!logs(LogTopics::summary)) return;
    if (peer.present && !peer.trusted && server_.requires_certificate) {
      log::info("{}", session_.verification_failure());
    }
    log::info("{}", summary(info, "established from", client()));
  }

  const Server::State& server_;
  Session& session_;
  ServerSupport& support_;
  Deadline deadline_;
};

std::unique_ptr<Session> Server::accept(io::Stream& stream, const std::string& client, ServerSupport& support,
                                        Deadline deadline) const {
  const State& s = *state_;
  bool detailed = s.settings.topics.has(LogTopics::detail);
  if (detailed) log::info("setting up TLS connection from {}", client);
  if (!s.cipher_problem.empty()) {
    log::warning("{}: {}", client, s.cipher_problem);
    return nullptr;
  }
  if (detailed) log::info("{}: TLS cipher list \"{}\"", client, s.cipher_list);
  std::shared_ptr<const TicketKeys> keys;
  if (s.has_tickets) keys = support.ticket_keys(deadline);
  auto created =
      Session::create(s.context.get(), {client, s.settings.topics, true, s.settings.tells_failure});
  if (!created) return nullptr;
  std::unique_ptr<Session> session = std::move(*created);
  if (s.has_tickets) use_ticket_keys(session->connection(), keys.get());
  Acceptance acceptance(s, *session, support, deadline);
  if (!acceptance.run(stream)) return nullptr;
  // Tickets are made in the handshake alone.
  use_ticket_keys(session->connection(), nullptr);
  acceptance.conclude();
  return session;
}

}  // namespace postrider::tls

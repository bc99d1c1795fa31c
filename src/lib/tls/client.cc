#include "tls/client.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include "base/text.h"
#include "log/log.h"
#include "tls/client_setup.h"

namespace postrider::tls {

namespace {

/// Sessions of one policy are not for another: all that was demanded when one was made stands in its key, and
/// the library's version, which alone can read it. A digest, for keys have an end.
std::string session_key(const std::string& cache, const std::string& server, const Demands& demands) {
  std::string all =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", demands.session_key, level_name(demands.level),
                  demands.protocols, demands.cipher_grade, demands.cipher_exclusions, demands.base_domain,
                  demands.server_name, OpenSSL_version_num(), fmt::join(demands.names, " "));
  for (const Tlsa& record : demands.records)
    all += tlsa_key(record) + "\n";
  std::string digest = fingerprint(all, EVP_sha256());
  std::erase(digest, ':');
  return fmt::format("{}&{}&{}", cache, server, digest);
}

void log_name(const Session& session) {
  const char* name = SSL_get0_peername(session.connection());
  if (name != nullptr) log::info("{}: matched peername: {}", session.labels().peer, printable(name));
}

/// What of the names and records the server has matched, for the log.
void log_match(const Session& session, const Demands& demands) {
  log_name(session);
  uint8_t usage = 0, selector = 0, matching = 0;
  const unsigned char* data = nullptr;
  size_t size = 0;
  const std::string& server = session.labels().peer;
  int depth = SSL_get0_dane_authority(session.connection(), nullptr, nullptr);
  if (depth < 0) return;
  SSL_get0_dane_tlsa(session.connection(), &usage, &selector, &matching, &data, &size);
  Tlsa record{usage, selector, matching, std::string(reinterpret_cast<const char*>(data), size)};
  if (demands.level == Level::fingerprint) {
    log::info("{}: Matched fingerprint: {}", server, tlsa_text(record).substr(sizeof "3 1 255"));
  } else if (needs_authority(demands.level)) {
    log::info("{}: Matched trust anchor at depth {}", server, depth);
  } else {
    log::info("{}: Matched DANE {} at depth {}: {}", server, usage == 3 ? "EE certificate" : "TA certificate",
              depth, tlsa_text(record));
  }
}

}  // namespace

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

std::unique_ptr<Client> Client::create(const ClientSettings& settings, const LibrarySettings& library) {
  auto state = std::make_unique<State>(settings, library);
  if (auto done = state->set_up(); !done) {
    if (!done.error().text.empty()) log::warning("{}", done.error().text);
    log_errors();
    return nullptr;
  }
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

const DaneDigests& Client::digests() const {
  return state_->digests;
}

std::vector<std::string> Client::required_paths() const {
  return tls::required_paths(state_->settings.authorities);
}

/// One handshake.
class Connecting {
 public:
  Connecting(const Client::State& client, Session& session, const Demands& demands, ClientSupport& support,
             Deadline deadline)
      : client_(client), session_(session), demands_(demands), support_(support), deadline_(deadline) {}

  void find_saved() {
    if (!client_.resumes) return;
    session_.session_key = session_key(client_.settings.cache_name, server(), demands_);
    const std::string& key = session_.session_key;
    if (logs(LogTopics::cache))
      log::info("looking for session {} in {} cache", key, client_.settings.cache_name);
    auto found = support_.find_session(key, deadline_);
    if (!found) return;
    const auto* data = reinterpret_cast<const unsigned char*>(found->data());
    SavedSession saved(d2i_SSL_SESSION(nullptr, &data, static_cast<long>(found->size())));
    ERR_clear_error();
    if (!saved || SSL_set_session(session_.connection(), saved.get()) != 1) {
      ERR_clear_error();
      support_.remove_session(key, deadline_);
      return;
    }
    if (logs(LogTopics::cache))
      log::info("reloaded session {} from {} cache", key, client_.settings.cache_name);
    reloaded_ = true;
  }

  void forget_saved() {
    if (!reloaded_) return;
    if (logs(LogTopics::cache)) log::info("remove session {} from client cache", session_.session_key);
    support_.remove_session(session_.session_key, deadline_);
  }

  void conclude() {
    session_.note_handshake();
    session_.note_peer(client_.digest);
    Peer& peer = session_.info().peer;
    peer.matched = must_match(demands_.level) && peer.present && session_.problems.none() && was_compared();
    peer.verified = peer.matched && demands_.level != Level::half_dane;
    log_result();
  }

 private:
  /// Whether the server has been held against what it has to show. A session that is resumed was, when it was
  /// made: its key has all that was demanded.
  bool was_compared() const {
    if (demands_.records.empty()) return !demands_.names.empty();
    return session_.info().resumed || SSL_get0_dane_authority(session_.connection(), nullptr, nullptr) >= 0;
  }
  const std::string& server() const { return session_.labels().peer; }
  bool logs(LogTopics::Topic topic) const { return session_.labels().topics.has(topic); }

  void log_result() const {
    const Info& info = session_.info();
    const Peer& peer = info.peer;
    if (info.resumed && logs(LogTopics::cache)) log::info("{}: Reusing old session", server());
    if (peer.matched && logs(LogTopics::certificate)) log_match(session_, demands_);
    // Where mail depends on it, whoever looks into the log wants to know why.
    if (peer.present && !session_.problems.none() &&
        (must_match(demands_.level) || logs(LogTopics::untrusted))) {
      if (info.resumed) {
        log::info("{}: re-using session with untrusted certificate, look for details earlier in the log",
                  server());
      } else {
        log::info("{}", session_.verification_failure());
      }
    }
    if (peer.present && logs(LogTopics::certificate)) log::info("{}", certificate_line(peer, server()));
    if (logs(LogTopics::summary)) log::info("{}", summary(info, "established to", server()));
  }

  const Client::State& client_;
  Session& session_;
  const Demands& demands_;
  ClientSupport& support_;
  Deadline deadline_;
  bool reloaded_ = false;
};

std::unique_ptr<Session> Client::connect(io::Stream& stream, const std::string& server,
                                         const Demands& demands, ClientSupport& support,
                                         Deadline deadline) const {
  const State& s = *state_;
  if (s.settings.topics.has(LogTopics::detail)) log::info("setting up TLS connection to {}", server);
  auto created =
      Session::create(s.context.get(), {server, s.settings.topics, false, s.settings.tells_failure});
  if (!created) return nullptr;
  std::unique_ptr<Session> session = std::move(*created);
  if (!prepare(session->connection(), s, server, demands)) return nullptr;
  Connecting connecting(s, *session, demands, support, deadline);
  connecting.find_saved();
  if (session->handshake(stream, "SSL_connect", deadline) != Session::Step::done) {
    connecting.forget_saved();
    return nullptr;
  }
  connecting.conclude();
  // A server that is not the right one is not to be met again by a short cut.
  bool unwanted = must_match(demands.level) && !session->info().peer.matched;
  if (unwanted && !s.settings.keeps_unmatched) session->session_key.clear();
  keep(*session, support, deadline);
  return session;
}

void Client::keep(Session& session, ClientSupport& support, Deadline deadline) const {
  auto made = std::exchange(session.to_save, {});
  if (session.session_key.empty()) return;
  for (const auto& [key, data] : made) {
    if (state_->settings.topics.has(LogTopics::cache))
      log::info("save session {} to {} cache", key, state_->settings.cache_name);
    support.save_session(key, data, deadline);
  }
}

void Client::log_reuse(const Session& session) const {
  if (!state_->settings.topics.has(LogTopics::summary)) return;
  log::info("{}", summary(session.info(), "reused to", session.labels().peer));
}

}  // namespace postrider::tls

#include "tls/session.h"

#include <cerrno>

#include <fmt/format.h>
#include <openssl/err.h>

#include "base/text.h"
#include "log/log.h"
#include "tls/trace.h"

namespace postrider::tls {

namespace {

constexpr size_t kShown = 40;

int session_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// What OpenSSL does, step by step.
void log_step(const SSL* connection, int where, int result) {
  const Session& session = Session::of(connection);
  if (!session.labels().topics.has(LogTopics::progress)) return;
  if ((where & SSL_CB_ALERT) != 0) {
    // The goodbye is no news.
    if ((result & 0xff) == SSL3_AD_CLOSE_NOTIFY) return;
    log::info("SSL3 alert {}:{}:{}", (where & SSL_CB_READ) != 0 ? "read" : "write",
              SSL_alert_type_string_long(result), SSL_alert_desc_string_long(result));
    return;
  }
  std::string_view call = (where & SSL_ST_CONNECT) != 0  ? "SSL_connect"
                          : (where & SSL_ST_ACCEPT) != 0 ? "SSL_accept"
                                                         : "unknown";
  const char* state = SSL_state_string_long(connection);
  if ((where & SSL_CB_LOOP) != 0) {
    log::info("{}:{}", call, state);
  } else if ((where & SSL_CB_EXIT) != 0 && result == 0) {
    log::info("{}:failed in {}", call, state);
  } else if ((where & SSL_CB_EXIT) != 0 && result < 0 && SSL_want(connection) == SSL_NOTHING) {
    log::info("{}:error in {}", call, state);
  }
}

}  // namespace

std::string handshake_text(const mail::ReceivedTls& handshake) {
  return fmt::format("{} with cipher {} ({}/{} bits){}", handshake.protocol, handshake.cipher,
                     handshake.used_bits, handshake.algorithm_bits, mail::tls_keys_text(handshake));
}

std::string summary(const Info& info, std::string_view what, std::string_view peer) {
  const Peer& p = info.peer;
  std::string_view kind = !p.present   ? "Anonymous"
                          : p.verified ? "Verified"
                          : p.trusted  ? "Trusted"
                                       : "Untrusted";
  return fmt::format("{} TLS connection {} {}{}{}: {}", kind, what, peer,
                     info.server_name.empty() ? "" : " to ", info.server_name,
                     handshake_text(info.handshake));
}

std::string certificate_line(const Peer& certificate, std::string_view peer) {
  return fmt::format("{}: subject_CN={}, issuer_CN={}, fingerprint={}, pkey_fingerprint={}", peer,
                     certificate.common_name, certificate.issuer_name, certificate.certificate_fingerprint,
                     certificate.key_fingerprint);
}

Session::Session(Connection connection, Labels labels)
    : connection_(std::move(connection)), labels_(std::move(labels)) {
  SSL_set_ex_data(connection_.get(), session_index(), this);
}

Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(SSL_CTX* context, Labels labels) {
  Connection connection(SSL_new(context));
  if (!connection) {
    log_errors();
    return fail(ErrorKind::temporary, "cannot allocate a TLS session");
  }
  return std::unique_ptr<Session>(new Session(std::move(connection), std::move(labels)));
}

Session& Session::of(const SSL* connection) {
  return *static_cast<Session*>(SSL_get_ex_data(connection, session_index()));
}

Session::Step Session::handshake(io::Stream& stream, std::string_view call, Deadline deadline) {
  SSL* ssl = connection_.get();
  bool dumps = labels_.topics.has(LogTopics::handshake_dump) || labels_.topics.has(LogTopics::session_dump);
  if (SSL_get_fd(ssl) < 0) {
    SSL_set_fd(ssl, stream.fd());
    if (dumps) start_dump(ssl);
  }
  auto failed = [&](std::string_view why) {
    failed_ = true;
    if (labels_.tells_failure)
      log::info("{} error {} {}: {}", call, labels_.server ? "from" : "to", labels_.peer, why);
    log_errors();
    return Step::failed;
  };
  for (;;) {
    ERR_clear_error();
    errno = 0;
    int result = labels_.server ? SSL_accept(ssl) : SSL_connect(ssl);
    int saved_errno = errno;
    if (result == 1) break;
    switch (SSL_get_error(ssl, result)) {
      case SSL_ERROR_WANT_READ:
        if (!stream.events().wait_readable(deadline)) return failed("Connection timed out");
        continue;
      case SSL_ERROR_WANT_WRITE:
        if (!stream.events().wait_writable(deadline)) return failed("Connection timed out");
        continue;
      case SSL_ERROR_WANT_CLIENT_HELLO_CB:
        return Step::client_hello;
      case SSL_ERROR_ZERO_RETURN:
        return failed("lost connection");
      case SSL_ERROR_SYSCALL:
        return failed(saved_errno == 0 ? "lost connection" : strerror(saved_errno));
      default:
        return failed("-1");
    }
  }
  if (dumps && !labels_.topics.has(LogTopics::session_dump)) stop_dump(ssl);
  return Step::done;
}

io::Transport::Outcome Session::outcome(int result) {
  switch (SSL_get_error(connection_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {State::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {State::end, 0};
    case SSL_ERROR_SYSCALL:
      failed_ = true;
      if (errno == 0) return {State::end, 0};
      return {State::failed, 0};
    default:
      // A peer that breaks the protocol is gone; errno is what the stream tells of it.
      failed_ = true;
      log_errors();
      errno = EPROTO;
      return {State::failed, 0};
  }
}

io::Transport::Outcome Session::read(char* to, size_t room) {
  if (failed_) return {State::end, 0};
  ERR_clear_error();
  errno = 0;
  int result = SSL_read(connection_.get(), to, static_cast<int>(std::min<size_t>(room, INT_MAX)));
  if (result <= 0) return outcome(result);
  trace("Read", std::string_view(to, static_cast<size_t>(result)));
  return {State::done, static_cast<size_t>(result)};
}

io::Transport::Outcome Session::write(std::string_view data) {
  if (failed_) return {State::end, 0};
  ERR_clear_error();
  errno = 0;
  int result =
      SSL_write(connection_.get(), data.data(), static_cast<int>(std::min<size_t>(data.size(), INT_MAX)));
  if (result <= 0) return outcome(result);
  trace("Write", data.substr(0, static_cast<size_t>(result)));
  return {State::done, static_cast<size_t>(result)};
}

io::Transport::Outcome Session::shutdown() {
  if (failed_) return {State::end, 0};
  ERR_clear_error();
  errno = 0;
  int result = SSL_shutdown(connection_.get());
  // Said, and not yet heard: the peer's may have arrived already.
  if (result == 0) result = SSL_shutdown(connection_.get());
  if (result == 1) return {State::done, 0};
  switch (SSL_get_error(connection_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {State::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::want_write, 0};
    default:
      ERR_clear_error();
      return {State::end, 0};
  }
}

void Session::trace(std::string_view what, std::string_view data) const {
  if (!labels_.topics.has(LogTopics::session_dump)) return;
  log::info("{} {} chars: {}", what, data.size(), printable(data.substr(0, kShown)));
}

std::string Session::verification_failure() const {
  return failure_line(problems, labels_.peer, labels_.server ? "client" : "server");
}

void log_progress(SSL_CTX* context) {
  SSL_CTX_set_info_callback(context, log_step);
}

}  // namespace postrider::tls

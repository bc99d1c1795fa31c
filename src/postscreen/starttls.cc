#include "postscreen/starttls.h"

#include <ctime>

#include <fmt/format.h>

#include "log/log.h"
#include "postscreen/engine.h"

namespace postrider::postscreen {

namespace {

/// For a process of this mail system.
constexpr seconds kPatience{10};

}  // namespace

Result<clients::TlsProxySession> TlsGateway::begin(const std::string& client) const {
  // Whoever is silent is this process's business: it says goodbye first.
  seconds idle = settings_.patience.command + kPatience;
  return clients::request_tls_server(config_, "postscreen",
                                     {.service = settings_.smtpd_service,
                                      .peer = client,
                                      .label = client,
                                      .handshake = settings_.tls.handshake_time,
                                      .idle = idle},
                                     Deadline::after(kPatience));
}

Result<io::Stream> TlsGateway::finish(clients::TlsProxySession session, int connection) const {
  TRY(session.hand_over(connection, Deadline::after(kPatience)));
  TRY(session.wait_started(Deadline::after(settings_.tls.handshake_time + kPatience)));
  return std::move(session).take_stream();
}

bool Engine::offers_tls() const {
  return settings_.tls.offered && !in_tls_ && !discarded_.has(smtp::Keyword::starttls);
}

/// Whether a command has to wait until there is TLS. A client that has come to its recipients has passed the
/// tests all the same.
bool Engine::needs_tls_first(smtp::Verb verb) {
  if (!settings_.tls.required || in_tls_) return false;
  switch (verb) {
    case smtp::Verb::rcpt:
      progress_.pass_deep_tests(::time(nullptr));
      return true;
    case smtp::Verb::mail:
    case smtp::Verb::data:
    case smtp::Verb::bdat:
    case smtp::Verb::rset:
    case smtp::Verb::vrfy:
    case smtp::Verb::etrn:
      return true;
    default:
      return false;
  }
}

bool Engine::starttls(const Command& command) {
  if (!command.argument().empty()) return reply("501 5.5.4 Syntax: STARTTLS");
  if (in_tls_) return reply("554 5.5.1 Error: TLS already active");
  if (!offers_tls()) return reply("502 5.5.1 Error: command not implemented");
  auto session = tls_.begin(peer_.label);
  if (!session) {
    log::warning("{}", session.error().text);
    return reply("454 4.7.0 TLS not available due to local problem");
  }
  reply("220 2.0.0 Ready to start TLS");
  if (!stream_.flush(Deadline::after(patience_->command))) return false;
  auto secure = tls_.finish(std::move(*session), stream_.fd());
  if (!secure) {
    (void)give_up_reading(Error(ErrorKind::closed, ""));
    return false;
  }
  // What the client has said in the clear does not count any more (RFC 3207 section 4.2).
  stream_ = std::move(*secure);
  in_tls_ = true;
  helo_.reset();
  sender_.reset();
  protocol_ = "SMTP";
  return true;
}

}  // namespace postrider::postscreen

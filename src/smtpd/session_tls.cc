// TLS: STARTTLS (RFC 3207), and sessions that begin with it.
#include <fmt/format.h>

#include "log/log.h"
#include "smtpd/session.h"
#include "tls/server.h"

namespace postrider::smtpd {

using access::ErrorClass;

bool Session::starttls(Words arguments) {
  if (!arguments.empty()) return refuse("501 5.5.4 Syntax: STARTTLS");
  if (tls_) return refuse("554 5.5.1 Error: TLS already active");
  if (!starttls_offered()) return refuse("502 5.5.1 Error: command not implemented");
  if (!server_.tls) return refuse("454 4.7.0 TLS not available due to local problem", ErrorClass::resource);
  if (!may_begin_tls()) {
    log::warning("Refusing STARTTLS request from {} for service {}", client_.label,
                 server_.settings.service_name);
    return refuse(fmt::format("454 4.7.0 Error: too many new TLS sessions from {}", client_.label),
                  ErrorClass::policy);
  }
  reply("220 2.0.0 Ready to start TLS");
  dialogue_.flush();
  if (!begin_tls()) return false;
  // What the client has said in the clear does not count any more (RFC 3207 section 4.2).
  end_transaction();
  if (helo_name_ && milters_) milters_->abort();
  forget_login();
  helo_name_.reset();
  protocol_ = "SMTP";
  memory_ = {};
  // The client speaks next, and hears then that it is not welcome: a word out of turn, and an end before its
  // own has been read, could be lost.
  tls_refusal_ = refusal_for_rate();
  if (!tls_refusal_.empty()) return false;
  // Here the command itself has succeeded.
  tls_refusal_ = refusal_for_certificate();
  return true;
}

bool Session::starttls_offered() const {
  return server_.settings.tls.offered && !tls_ && offers(smtp::Keyword::starttls);
}

/// Whether the client has not made too many TLS sessions already.
bool Session::may_begin_tls() {
  uint32_t limit = server_.limits.new_tls_rate;
  if (!counted_ || limit == 0) return true;
  auto rate = counted_->rate(proto::AnvilEvent::newtls);
  return !rate || *rate <= limit;
}

bool Session::begin_tls() {
  const Settings& settings = server_.settings;
  tls_ = dialogue_.start_tls(*server_.tls, *server_.tls_support, Deadline::after(settings.tls.timeout));
  return tls_ != nullptr;
}

/// What a client hears that is sent away because it has made too many TLS sessions; empty: it may stay.
std::string Session::refusal_for_rate() {
  const Settings& settings = server_.settings;
  if (!counted_ || tls_->resumed || server_.limits.new_tls_rate == 0) return {};
  auto rate = counted_->count(proto::AnvilEvent::newtls);
  if (!rate || *rate <= server_.limits.new_tls_rate) return {};
  log::warning("New TLS session rate limit exceeded: {} from {} for service {}", *rate, client_.label,
               settings.service_name);
  return fmt::format("421 4.7.0 {} Error: too many new TLS sessions from {}", settings.myhostname,
                     client_.label);
}

/// The same for one that has no certificate, where it needs one.
std::string Session::refusal_for_certificate() const {
  const Settings& settings = server_.settings;
  if (!settings.tls.requires_certificate || tls_->peer.trusted) return {};
  std::string_view why =
      tls_->peer.present ? "Client certificate not trusted" : "No client certificate presented";
  log::info("NOQUEUE: abort: TLS from {}: {}", client_.label, why);
  return fmt::format("421 4.7.1 {} Error: {}", settings.myhostname, why);
}

/// TLS from the first byte. False: the session is over.
bool Session::greet_with_tls() {
  if (!server_.tls) {
    log::warning(
        "Wrapper-mode request dropped from {} for service {}. TLS context initialization failed. For "
        "details see earlier warnings in your logs.",
        client_.label, server_.settings.service_name);
    return false;
  }
  if (!may_begin_tls()) {
    log::warning("Refusing TLS service request from {} for service {}", client_.label,
                 server_.settings.service_name);
    return false;
  }
  if (!begin_tls()) return false;
  std::string refusal = refusal_for_rate();
  if (refusal.empty()) refusal = refusal_for_certificate();
  return refusal.empty() || refuse(refusal, ErrorClass::policy);
}

/// Whether a command has to wait until there is TLS.
bool Session::needs_tls_first(smtp::Verb verb) const {
  if (!server_.settings.tls.required || tls_) return false;
  switch (verb) {
    case smtp::Verb::helo:
    case smtp::Verb::ehlo:
    case smtp::Verb::xclient:
    case smtp::Verb::starttls:
    case smtp::Verb::noop:
    case smtp::Verb::quit:
    case smtp::Verb::help:
    case smtp::Verb::unknown:
      return false;
    default:
      return true;
  }
}

}  // namespace postrider::smtpd

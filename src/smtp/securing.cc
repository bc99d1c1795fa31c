#include "smtp/securing.h"

#include <utility>

#include <fmt/format.h>

#include "log/log.h"
#include "sys/socket.h"
#include "tls/verification.h"

namespace postrider::smtp_client {

using tls::Level;

TlsEngine::TlsEngine(const config::Config& config, const Settings& settings, dns::Resolver& resolver)
    : sessions(config, settings.lmtp() ? "lmtp" : "smtp",
               settings.lmtp() ? proto::TlsCache::lmtp : proto::TlsCache::smtp),
      reporter(config, settings.lmtp(), resolver) {
  if (!settings.tls.wanted()) return;
  client = tls::Client::create(tls::ClientSettings(config, settings.lmtp()), tls::LibrarySettings(config));
}

bool Securing::fail(std::string_view status, std::string reason, Blame blame) {
  ledger_.fail_all(local_failure(status, std::move(reason)), blame);
  return false;
}

/// What the sender wants cannot be had from this server. Another one may have it.
bool Securing::disappoint(std::string_view status, std::string why) {
  session_.spent = true;
  ledger_.mark_require(RequireMark::violated);
  std::string code(status);
  if (!ledger_.last_server()) code[0] = '4';
  return fail(code, fmt::format("Sender requested REQUIRETLS, but {}", why), Blame::message);
}

bool Securing::wrap() {
  if (session_.policy.level == Level::none) return true;
  if (!engine_.client) {
    session_.spent = true;
    ledger_.mark_tls(TlsMark::violated);
    return fail("4.7.5", "TLS is required, but our TLS engine is unavailable");
  }
  return handshake();
}

bool Securing::should_start() const {
  bool offered = session_.client.capabilities().has(smtp::Keyword::starttls);
  Level level = session_.policy.level;
  if (offered && settings_.tls.note_offers && level == Level::none)
    log::info("Host offered STARTTLS: [{}]", session_.host());
  return offered && level > Level::none && engine_.client;
}

Securing::Outcome Securing::start() {
  auto reply = session_.client.start_tls();
  if (!reply) {
    lose(session_, ledger_, reply.error());
    return Outcome::failed;
  }
  if (reply->first_digit() == 2) {
    session_.say_goodbye = false;
    return handshake() ? Outcome::started : Outcome::failed;
  }
  session_.judge(*reply);
  report(TlsFailure::starttls_not_supported, reply->one_line());
  if (asks_for(RequireTls::starttls)) {
    session_.say_goodbye = true;
    disappoint("5.7.10", fmt::format("host {} refused to start TLS: {}", session_.client.peer().name(),
                                     reply->one_line()));
    return Outcome::failed;
  }
  if (!requires_tls(session_.policy.level)) return Outcome::refused;
  session_.spent = session_.say_goodbye = true;
  ledger_.mark_tls(TlsMark::violated);
  ledger_.fail_all(remote_failure(*reply, session_.host(),
                                  fmt::format("TLS is required, but host {} refused to start TLS: {}",
                                              session_.client.peer().name(), reply->one_line())),
                   Blame::destination);
  return Outcome::failed;
}

bool Securing::may_stay_plain() {
  bool offered = session_.client.capabilities().has(smtp::Keyword::starttls);
  if (!offered) report(TlsFailure::starttls_not_supported);
  if (asks_for(RequireTls::starttls) && !offered) {
    session_.say_goodbye = true;
    return disappoint("5.7.30",
                      fmt::format("STARTTLS was not offered by host {}", session_.client.peer().name()));
  }
  if (!requires_tls(session_.policy.level) && !asks_for(RequireTls::starttls)) {
    if (session_.policy.configured > Level::none) ledger_.mark_tls(TlsMark::plain);
    return true;
  }
  session_.spent = session_.say_goodbye = true;
  ledger_.mark_tls(TlsMark::violated);
  if (!offered) {
    return fail("4.7.4", fmt::format("TLS is required, but was not offered by host {}",
                                     session_.client.peer().name()));
  }
  return fail("4.7.5", "TLS is required, but our TLS engine is unavailable");
}

bool Securing::handshake() {
  tls::Demands demands = demands_of(session_.policy, session_.tls_names);
  demands.session_key = session_.client.capabilities().server_name;
  io::Stream& stream = session_.client.stream();
  auto made = engine_.client->connect(stream, session_.relay(), demands, engine_.sessions,
                                      Deadline::after(settings_.tls.timeout));
  if (!made) {
    // Where the peer is with its bytes, nobody knows: there is nothing more to be said.
    session_.spent = true;
    report(TlsFailure::validation_failure, "TLS handshake failure");
    bool optional = session_.policy.level == Level::may;
    if (session_.plain_will_do) {
      session_.again_without_tls = true;
      ledger_.set_last_server(false);
    }
    if (!optional) ledger_.mark_tls(TlsMark::violated);
    return fail("4.7.5", "Cannot start TLS: handshake failure",
                optional ? Blame::message : Blame::destination);
  }
  session_.tls = made.get();
  stream.set_transport(std::move(made));
  return check_server();
}

/// Once a session: what comes after the first thing to tell does not count.
void Securing::report(std::optional<TlsFailure> failure, std::string reason) {
  auto order = std::exchange(session_.report_order, std::nullopt);
  if (!order) return;
  auto here = sys::local_address(session_.client.stream().fd());
  const smtp::Peer& peer = session_.client.peer();
  engine_.reporter.send({.order = std::move(*order),
                         .policy = &session_.policy,
                         .sending_address = here && here->is_ip() ? here->ip() : std::string(),
                         .host = peer.host,
                         .address = peer.address,
                         .helo = session_.client.capabilities().server_name,
                         .failure = failure,
                         .reason = std::move(reason)});
}

/// After a handshake.
void Securing::report_server(bool good) {
  const TlsPolicy& policy = session_.policy;
  if (session_.tls->info().resumed && engine_.reporter.skips_resumed()) {
    session_.report_order.reset();
    return;
  }
  if (!policy.sts.failure.empty()) return report(parse_sts_failure(policy.sts.failure));
  if (policy.dane.unusable) return report(TlsFailure::tlsa_invalid, "no usable TLSA records");
  if (good) return report(std::nullopt);
  const tls::VerifyProblems& problems = session_.tls->problems;
  switch (tls::fault_of(problems)) {
    case tls::VerifyFault::none:
      return report(TlsFailure::validation_failure, "server certificate not verified");
    case tls::VerifyFault::expired:
      return report(TlsFailure::certificate_expired, tls::fault_text(problems));
    case tls::VerifyFault::wrong_name:
      return report(TlsFailure::certificate_host_mismatch, tls::fault_text(problems));
    case tls::VerifyFault::untrusted:
      return report(TlsFailure::certificate_not_trusted, tls::fault_text(problems));
  }
}

bool Securing::check_server() {
  // Where nobody knows what the domain demands, no server satisfies it.
  bool knows_policy = session_.policy.sts.failure.empty();
  bool good = !must_match(session_.policy.level) || (session_.tls->info().peer.matched && knows_policy);
  report_server(good);
  if (good) {
    ledger_.mark_tls(TlsMark::satisfied);
    return true;
  }
  session_.say_goodbye = true;
  ledger_.mark_tls(TlsMark::violated);
  if (asks_for(RequireTls::enforce)) {
    return disappoint("5.7.10", fmt::format("the certificate of host {} could not be verified",
                                            session_.client.peer().name()));
  }
  session_.spent = true;
  return fail("4.7.5", "Server certificate not verified");
}

bool Securing::satisfies_sender() {
  if (!asks_for(RequireTls::opportunistic)) return true;
  bool offered = session_.client.capabilities().has(smtp::Keyword::requiretls);
  if (!offered && asks_for(RequireTls::enforce)) {
    session_.say_goodbye = true;
    return disappoint("5.7.30",
                      fmt::format("REQUIRETLS was not offered by host {}", session_.client.peer().name()));
  }
  ledger_.mark_require(require_mark(session_));
  return true;
}

RequireMark require_mark(const ServerSession& session) {
  if (session.policy.require == RequireTls::off) return RequireMark::none;
  if (session.tls == nullptr) return RequireMark::no_starttls;
  if (!session.client.capabilities().has(smtp::Keyword::requiretls)) return RequireMark::no_verb;
  return session.tls->info().peer.matched ? RequireMark::passed_on : RequireMark::no_match;
}

void lose(ServerSession& session, Ledger& ledger, const smtp::SessionFailure& failure) {
  session.spent = true;
  bool lost = failure.kind != smtp::SessionFailure::Kind::local;
  if (lost && session.tls != nullptr && session.plain_will_do && ledger.any_undecided()) {
    session.again_without_tls = true;
    ledger.set_last_server(false);
  }
  ledger.fail_all(local_failure(failure.dsn, failure.text), Blame::destination);
}

}  // namespace postrider::smtp_client

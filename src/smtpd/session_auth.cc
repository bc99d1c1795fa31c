// AUTH (RFC 4954).
#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtpd/session.h"

namespace postrider::smtpd {

using access::ErrorClass;
using sasl::Outcome;

namespace {

/// How much of a client's text log lines show.
constexpr size_t kShown = 100;
/// No mechanism needs more steps.
constexpr int kMaxSteps = 50;
constexpr std::string_view kUnknownLogin = "(unavailable)";

}  // namespace

bool Session::authentication_offered() const {
  return server_.sasl && may_log_in_ && offers(smtp::Keyword::auth) &&
         (encrypted() || !server_.settings.sasl.only_encrypted);
}

/// Finds out which mechanisms there are, once for each state of encryption. False when there are none.
bool Session::prepare_authentication() {
  if (sasl_ && sasl_encrypted_ == encrypted() && !mechanisms_.empty()) return true;
  const Settings::Sasl& settings = server_.settings.sasl;
  sasl_encrypted_ = encrypted();
  auto known = [](const std::string& text) { return text == "unknown" ? std::string() : text; };
  sasl_ = server_.sasl->begin({.server_address = known(client_.server_address),
                               .server_port = known(client_.server_port),
                               .client_address = known(client_.address),
                               .client_port = known(client_.port),
                               .encrypted = encrypted()},
                              encrypted() ? settings.tls_options : settings.options);
  mechanisms_.clear();
  auto all = sasl_->mechanisms(service_deadline());
  if (!all || all->empty()) {
    log::warning("no SASL authentication mechanisms");
    return false;
  }
  const table::MatchList& filter = server_.lists.sasl_mechanisms;
  for (const std::string& mechanism : *all) {
    auto decision = filter.match(mechanism, service_deadline());
    if (!decision) return false;  // The list has told the log why.
    if (decision->matched) mechanisms_.push_back(mechanism);
  }
  if (mechanisms_.empty()) {
    log::warning("smtpd_sasl_mechanism_filter discards all mechanisms in '{}'", join(*all, " "));
  }
  return !mechanisms_.empty();
}

void Session::forget_login() {
  sasl_.reset();
  mechanisms_.clear();
  if (client_.login_method == kXclientLogin) return;
  client_.login.clear();
  client_.login_method.clear();
}

bool Session::auth(Words arguments) {
  if (server_.settings.helo_required && !helo_name_)
    return refuse("503 5.5.1 Error: send HELO/EHLO first", ErrorClass::policy);
  if (!authentication_offered()) return refuse("503 5.5.1 Error: authentication not enabled");
  if (mail_) return refuse("503 5.5.1 Error: MAIL transaction in progress");
  if (!client_.login.empty()) return refuse("503 5.5.1 Error: already authenticated");
  if (!within_rate(proto::AnvilEvent::auth, server_.limits.auth_rate, "AUTH command",
                   "too many AUTH commands")) {
    return false;
  }
  if (arguments.empty() || arguments.size() > 2) return refuse("501 5.5.4 Syntax: AUTH mechanism");
  if (!prepare_authentication()) return local_data_error();
  std::string mechanism = printable(arguments[0].text.substr(0, kShown));
  std::optional<std::string_view> initial;
  // An empty response is written "=", as one of no bytes could not be seen.
  if (arguments.size() == 2) initial = arguments[1].text == "=" ? std::string_view() : arguments[1].text;
  Outcome outcome = sasl_->first(mechanism, initial, Deadline::never());
  for (int step = 0; outcome.kind == Outcome::Kind::challenge; ++step) {
    reply("334 " + outcome.text);
    auto response = dialogue_.read_response(server_.settings.sasl.response_limit);
    if (!response || response->too_long || response->text == "*" || step == kMaxSteps) {
      sasl_->cancel(service_deadline());
      if (!response) return false;
      if (response->too_long) return fail_login("500 5.5.6 SASL response limit exceeded");
      log::warning("{}: SASL {} authentication aborted", client_.label, mechanism);
      return fail_login("501 5.7.0 Authentication aborted");
    }
    outcome = sasl_->next(response->text, Deadline::never());
  }
  return report_login(mechanism, std::move(outcome));
}

/// A wrong password is no news for the postmaster: the log has it.
bool Session::fail_login(std::string_view text) {
  reply(text);
  return false;
}

bool Session::report_login(std::string_view mechanism, Outcome outcome) {
  if (outcome.kind == Outcome::Kind::done) {
    client_.login = std::move(*outcome.login);
    client_.login_method = mechanism;
    reply("235 2.7.0 Authentication successful");
    return true;
  }
  std::string why = printable(std::string_view(outcome.text).substr(0, kShown));
  log::warning("{}: SASL {} authentication failed: {}, sasl_username={}", client_.label, mechanism, why,
               outcome.login ? std::string_view(*outcome.login).substr(0, kShown) : kUnknownLogin);
  if (outcome.kind == Outcome::Kind::temporary)
    return fail_login("454 4.7.0 Temporary authentication failure: " + why);
  return fail_login("535 5.7.8 Error: authentication failed: " + why);
}

}  // namespace postrider::smtpd

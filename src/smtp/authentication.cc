#include "smtp/authentication.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::smtp_client {

namespace {

constexpr std::string_view kDoing = "performing the EHLO handshake";
/// RFC 4954 section 4: with an initial response that would make it longer, the command goes without one.
constexpr size_t kMaxCommand = 510;
/// No mechanism needs more steps.
constexpr int kMaxSteps = 50;
constexpr size_t kMaxMechanisms = 64;

Deadline lookup_deadline() {
  return Deadline::after(seconds(100));
}

/// What follows the code of a "334" reply.
std::string_view challenge_of(const smtp::Reply& reply) {
  std::string_view text = reply.text;
  text.remove_prefix(std::min<size_t>(4, text.size()));
  return trim(text);
}

}  // namespace

Result<std::string> usable_mechanisms(const std::vector<std::string>& lines, const table::MatchList& filter,
                                      Deadline deadline) {
  std::vector<std::string> out;
  for (const std::string& line : lines) {
    for (std::string_view word : split_any(line, " \t")) {
      auto same = [&](const std::string& known) { return equals_ignore_case(known, word); };
      if (out.size() >= kMaxMechanisms || std::ranges::any_of(out, same)) continue;
      if (!filter.empty() && !TRY(filter.match(word, deadline)).matched) continue;
      out.emplace_back(word);
    }
  }
  return join(out, " ");
}

bool Authentication::local_problem() {
  session_.spent = true;
  ledger_.fail_all(local_failure("4.3.0", fmt::format("local data error while talking to {}",
                                                      session_.client.peer().name())),
                   Blame::destination);
  return false;
}

bool Authentication::lost(const smtp::SessionFailure& failure) {
  lose(session_, ledger_, failure);
  return false;
}

/// The server is all right, and yet nothing can be sent to it.
bool Authentication::cannot(std::string_view why) {
  session_.spent = session_.say_goodbye = true;
  ledger_.fail_all(local_failure("4.7.0", fmt::format("SASL authentication failed{}", why)),
                   Blame::destination);
  return false;
}

bool Authentication::refused(const smtp::Reply& reply, std::string reason) {
  session_.spent = session_.say_goodbye = true;
  smtp::Reply judged = reply;
  // A password that was changed is not the sender's mistake.
  if (judged.first_digit() == 5 && settings_.sasl.soft_bounce && !judged.dsn.empty()) judged.dsn[0] = '4';
  ledger_.fail_all(remote_failure(judged, session_.host(), std::move(reason)), Blame::destination);
  return false;
}

/// By sender, where senders have passwords of their own; by server; by next hop.
Result<std::optional<sasl::Credentials>> Authentication::find_credentials() const {
  std::vector<std::string_view> keys;
  std::string_view sender = request_.sender;
  if (settings_.sasl.by_sender && !sender.empty()) keys.push_back(sender);
  keys.push_back(session_.host());
  keys.push_back(nexthop_);
  for (std::string_view key : keys) {
    auto found = TRY(tables_.sasl_passwords.find(key, table::Where::all, lookup_deadline()));
    if (!found) continue;
    std::string_view value = found->value;
    size_t end = value.find(settings_.sasl.delimiter);
    sasl::Credentials out;
    out.user = value.substr(0, end);
    if (end != std::string_view::npos) out.password = value.substr(end + 1);
    return out;
  }
  return std::nullopt;
}

bool Authentication::has_credentials() const {
  auto found = find_credentials();
  return !found || *found;
}

/// What mechanisms have to do without, or offer, depends on who could be listening.
const sasl::SecurityOptions& Authentication::security() const {
  if (session_.tls == nullptr) return settings_.sasl.options;
  return session_.tls->info().peer.matched ? settings_.sasl.tls_verified_options : settings_.sasl.tls_options;
}

bool Authentication::run() {
  const smtp::Capabilities& capabilities = session_.client.capabilities();
  if (!capabilities.has(smtp::Keyword::auth)) return true;
  std::string relay = session_.relay();
  bool any = std::ranges::any_of(capabilities.auth, [](const auto& line) { return !trim(line).empty(); });
  if (!any) log::warning("{} offered null AUTH mechanism list", relay);
  auto mechanisms = usable_mechanisms(capabilities.auth, tables_.sasl_mechanisms, lookup_deadline());
  if (!mechanisms) return local_problem();
  if (any && mechanisms->empty()) {
    log::warning("{} offered no supported AUTH mechanisms: '{}'", relay, join(capabilities.auth, " "));
  }
  auto credentials = find_credentials();
  if (!credentials) {
    log::warning("{}: {} lookup error", request_.queue_id, tables_.sasl_passwords.parameter());
    return local_problem();
  }
  if (!*credentials) return true;
  if (mechanisms->empty()) {
    return cannot(fmt::format(
        ": server {} offered no compatible authentication mechanisms for this type of connection security",
        session_.client.peer().name()));
  }
  return log_in(*mechanisms, **credentials);
}

smtp::Outcome<smtp::Reply> Authentication::send(std::string_view command, std::string_view shown) {
  return session_.client.command(command, settings_.session.helo_timeout, kDoing, shown);
}

/// Whether it is known that the server will refuse.
bool Authentication::refused_before(const sasl::Credentials& credentials) {
  auto known = refused_logins_.find(session_.host(), credentials, lookup_deadline());
  if (!known) return false;
  smtp::Reply reply;
  reply.code = static_cast<int>(parse_int(std::string_view(known->text).substr(0, 3)).value_or(535));
  reply.dsn = known->dsn;
  reply.text = known->text;
  refused(reply, fmt::format("SASL [CACHED] authentication failed; server {} said: {}", session_.host(),
                             known->text));
  return true;
}

bool Authentication::log_in(const std::string& mechanisms, const sasl::Credentials& credentials) {
  if (refused_before(credentials)) return false;
  auto cannot_log_in = [&](const Error& error) {
    return cannot(
        fmt::format("; cannot authenticate to server {}: {}", session_.client.peer().name(), error.text));
  };
  auto client = service_.begin(session_.host(), credentials, security());
  auto start = client->start(mechanisms, Deadline::never());
  if (!start) return cannot_log_in(start.error());
  std::string command = "AUTH " + start->mechanism, shown = command;
  std::optional<std::string> held = std::move(start->initial);
  if (held) {
    std::string initial = held->empty() ? "=" : *held;
    if (command.size() + 1 + initial.size() <= kMaxCommand) {
      command += " " + initial;
      held.reset();
    }
  }
  auto reply = send(command, shown);
  for (int step = 0; reply && reply->first_digit() == 3; ++step) {
    Result<std::string> response = held ? Result<std::string>(std::move(*held))
                                        : client->respond(challenge_of(*reply), Deadline::never());
    held.reset();
    if (!response || step == kMaxSteps) {
      (void)send("*", "*");
      return cannot_log_in(response ? Error(ErrorKind::limit, "too many steps") : response.error());
    }
    reply = send(*response, "(response)");
  }
  if (!reply) return lost(reply.error());
  if (reply->first_digit() != 2) {
    constexpr int kBadCredentials = 535;
    if (reply->code == kBadCredentials) {
      refused_logins_.remember(session_.host(), credentials, reply->dsn, reply->one_line(),
                               lookup_deadline());
    }
    return refused(*reply, fmt::format("SASL authentication failed; server {} said: {}",
                                       session_.client.peer().name(), reply->one_line()));
  }
  session_.logged_in = true;
  return true;
}

}  // namespace postrider::smtp_client

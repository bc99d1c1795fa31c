// Mail filters in a session: what they are told, and what their answers come to.
#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "milter/relay.h"
#include "milter/reply_text.h"
#include "smtpd/session.h"

namespace postrider::smtpd {

using access::ErrorClass;
using milter::Event;

namespace {

std::string_view resolve_text(const dns::ClientName& names) {
  switch (names.name_status) {
    case dns::NameCheck::ok:
      return "OK";
    case dns::NameCheck::temporary:
      return "TEMP";
    case dns::NameCheck::forged:
      return "FORGED";
    case dns::NameCheck::permanent:
      break;
  }
  return "FAIL";
}

/// The path and the parameters of MAIL or RCPT, as the client has written them.
std::string path_data(std::span<const mail::SmtpWord> arguments) {
  std::vector<std::string_view> words;
  for (const mail::SmtpWord& word : arguments.subspan(1))
    words.push_back(word.text);
  return milter::words_data(words);
}

/// What is known of an SMTP reply that refuses a recipient, for filters: its status and its text without the
/// address in front.
void take_refusal(std::string_view reply, std::string& status, std::string& text) {
  auto [code, rest] = mail::split_status_text("5.0.0", reply.substr(std::min<size_t>(4, reply.size())));
  status = code.text();
  if (size_t end = rest.find(">: "); rest.starts_with('<') && end != std::string_view::npos) {
    rest.remove_prefix(end + 3);
  }
  text = rest;
}

}  // namespace

std::optional<std::string> Session::begin_milters() {
  milters_.reset();
  if (!server_.milters || stand_alone()) return std::nullopt;
  const milter::Settings& settings = server_.milters->settings();
  auto filters = server_.milters->filters_for(client_.address, service_deadline());
  if (!filters) {
    log::warning("smtpd_milter_maps: {}", filters.error().text);
    // What cannot be known must not be passed over: a filter that cannot be used stands for it.
    filters = {settings.defaults};
    filters->front().endpoint = "smtpd_milter_maps";
  }
  if (filters->empty()) return std::nullopt;
  milters_ = std::make_unique<milter::Chain>(*filters, settings);
  std::string host = client_.names.name;
  if (host == "unknown") host = fmt::format("[{}]", client_.address);
  milter::ClientAddress address{.host = host, .ipv6 = client_.is_ipv6()};
  if (client_.family != 0) address.address = client_.address;
  address.port = static_cast<uint16_t>(parse_unsigned(client_.port).value_or(0));
  return note(milters_->connect(address, macro_values()));
}

void Session::end_milters() {
  if (!milters_) return;
  if (helo_name_) milters_->abort();
  milters_->quit();
  milters_.reset();
}

std::string Session::macro(std::string_view name) const {
  const milter::Settings& settings = server_.milters->settings();
  if (name == "i") return std::string(mail_ ? mail_->queue_id() : std::string_view());
  if (name == "j") return settings.hostname;
  if (name == "v") return settings.version;
  if (name == "_") return fmt::format("{} [{}]", client_.names.name, client_.address);
  if (name == "daemon_name") return settings.daemon_name;
  if (name == "daemon_addr") return client_.server_address;
  if (name == "daemon_port") return client_.server_port;
  if (name == "client_addr") return client_.address;
  if (name == "client_name") return client_.names.name;
  if (name == "client_port") return client_.port;
  if (name == "client_ptr") return client_.names.reverse_name;
  if (name == "client_resolve") return std::string(resolve_text(client_.names));
  if (name == "client_connections") return fmt::format("{}", connections_);
  if (name == "auth_type") return client_.login_method;
  if (name == "auth_authen") return client_.login;
  if (name == "auth_author") return std::string(mail_ ? mail_->sasl_sender() : std::string_view());
  if (name == "mail_addr") return milter_sender_.address;
  if (name == "mail_host") return milter_sender_.host;
  if (name == "mail_mailer") return milter_sender_.mailer;
  if (name == "rcpt_addr") return milter_recipient_.address;
  if (name == "rcpt_host") return milter_recipient_.host;
  if (name == "rcpt_mailer") return milter_recipient_.mailer;
  if (!tls_) return {};
  const mail::ReceivedTls& handshake = tls_->handshake;
  if (name == "tls_version") return handshake.protocol;
  if (name == "cipher") return handshake.cipher;
  if (name == "cipher_bits") return fmt::format("{}", handshake.used_bits);
  if (name == "cert_subject") return handshake.common_name;
  if (name == "cert_issuer") return handshake.issuer;
  return {};
}

std::optional<std::string> Session::ask_milters(Event event, std::string_view data,
                                                std::string_view rejection) {
  if (!asks_milters()) return std::nullopt;
  return note(milters_->command(event, data, macro_values(), rejection));
}

/// Logs what a filter wants; what concerns the message is kept for it. The same thing is said once.
std::optional<std::string> Session::note(const milter::Verdict& verdict) {
  using Kind = milter::Verdict::Kind;
  access::Facts facts = this->facts();
  access::Effects& effects = memory_.effects;
  switch (verdict.kind) {
    case Kind::none:
      break;
    case Kind::discard:
      if (!std::exchange(effects.discard, true))
        event("milter-discard", "milter triggers DISCARD action", facts, {});
      break;
    case Kind::hold:
      if (!std::exchange(effects.hold, true)) event("milter-hold", printable(verdict.text), facts, {});
      break;
    case Kind::reject:
      event("milter-reject", printable(verdict.text), facts, {});
      return verdict.text;
  }
  return std::nullopt;
}

bool Session::refuse_for_milter(std::string_view text) {
  errors_made_.add(ErrorClass::policy);
  reply_lines(milter::reply_lines(text));
  return false;
}

bool Session::milters_accept_mail(Words arguments, std::string_view sender) {
  if (!asks_milters()) return true;
  milter_sender_ = {std::string(sender), {}, {}};
  if (!sender.empty()) {
    if (auto place = server_.world.resolve({}, sender, service_deadline())) {
      milter_sender_.host = place->nexthop;
      milter_sender_.mailer = place->transport;
    }
  }
  sender_candidate_ = sender;
  auto refusal = ask_milters(Event::mail, path_data(arguments));
  sender_candidate_.reset();
  if (!refusal) return true;
  milters_->abort();
  return refuse_for_milter(*refusal);
}

bool Session::milters_accept_rcpt(Words arguments, std::string_view recipient) {
  if (!asks_milters()) return true;
  milter_recipient_ = {std::string(recipient), {}, {}};
  if (auto place = server_.world.resolve(mail_->sender(), recipient, service_deadline())) {
    milter_recipient_ = {place->recipient, place->nexthop, place->transport};
  }
  recipient_ = recipient;
  auto refusal = ask_milters(Event::rcpt, path_data(arguments));
  recipient_.reset();
  return !refusal || refuse_for_milter(*refusal);
}

void Session::tell_milters_of_refusal(Words arguments, std::string_view reply) {
  if (!asks_milters() || !milters_->wants_rejected_recipients()) return;
  milter_recipient_.mailer = "error";
  take_refusal(reply, milter_recipient_.host, milter_recipient_.address);
  milters_->rejected_recipient(path_data(arguments), macro_values());
}

void Session::show_content_to_milters() {
  if (!asks_milters()) return;
  mail_->show_to_milters(
      milter::hand_over(*milters_, macro_values()),
      [this](const proto::MilterExchange& exchange) { return milter::relay(*milters_, exchange); });
}

}  // namespace postrider::smtpd

#include "cleanup/milters.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cleanup/edits.h"
#include "config/params/milter.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "milter/relay.h"
#include "queue/envelope.h"

namespace postrider::cleanup {

using milter::Event;
using milter::Verdict;
namespace names = queue::attribute;

namespace {

/// What filters are told where nobody has connected.
constexpr std::string_view kLocalName = "localhost", kLocalAddress = "127.0.0.1";

bool about_client(std::string_view name) {
  return name == names::kClientName || name == names::kReverseClientName || name == names::kClientAddress ||
         name == names::kClientPort || name == names::kClientAddressType || name == names::kServerAddress ||
         name == names::kServerPort || name == names::kHeloName || name == names::kSaslMethod ||
         name == names::kSaslUsername || name == names::kSaslSender;
}

}  // namespace

Filters::Filters(const config::Config& config) : settings(config) {
  auto parsed = milter::parse_filters(config.get(config::params::non_smtpd_milters), settings.defaults);
  if (!parsed) {
    throw config::ConfigError(parsed.error().text, config.source("non_smtpd_milters"),
                              "a mail filter is inet:host:port, unix:path or { endpoint, option = value }");
  }
  local = std::move(*parsed);
}

Milters::~Milters() = default;

void Milters::take_over(proto::CleanupMilters milters, ipc::Connection& connection) {
  handed_ = std::move(milters);
  chain_ = milter::take_over(*handed_, connection, filters_.settings, client_lost_);
}

void Milters::attribute(std::string_view name, std::string_view value) {
  if (emulates() && about_client(name)) attributes_.insert_or_assign(std::string(name), std::string(value));
}

std::string Milters::known(std::string_view attribute, std::string_view fallback) const {
  auto it = attributes_.find(attribute);
  return it == attributes_.end() ? std::string(fallback) : it->second;
}

std::string Milters::client() const {
  if (handed_) return state_.origin;
  return fmt::format("{}[{}]", known(names::kClientName, kLocalName),
                     known(names::kClientAddress, kLocalAddress));
}

std::string Milters::macro(std::string_view name) const {
  if (handed_) {
    if (name == "i") return state_.id();
    return milter::handed_value(*handed_, name);
  }
  const milter::Settings& settings = filters_.settings;
  if (name == "i") return state_.id();
  if (name == "j") return settings.hostname;
  if (name == "v") return settings.version;
  if (name == "daemon_name") return settings.daemon_name;
  if (name == "daemon_addr") return known(names::kServerAddress, kLocalAddress);
  if (name == "daemon_port") return known(names::kServerPort, "0");
  if (name == "client_addr") return known(names::kClientAddress, kLocalAddress);
  if (name == "client_name") return known(names::kClientName, kLocalName);
  if (name == "client_ptr") return known(names::kReverseClientName, kLocalName);
  if (name == "client_port") return known(names::kClientPort, "0");
  if (name == "_") return fmt::format("{} [{}]", macro("client_name"), macro("client_addr"));
  if (name == "auth_type") return known(names::kSaslMethod, {});
  if (name == "auth_authen") return known(names::kSaslUsername, {});
  if (name == "auth_author") return known(names::kSaslSender, {});
  if (name == "mail_addr") return state_.sender.value_or("");
  if (name == "rcpt_addr") return recipient_;
  return {};
}

void Milters::log(std::string_view action, std::string_view where, std::string_view text) const {
  std::string line = fmt::format("{}: {}: {} from {}: {};{}", state_.id(), action, where, client(),
                                 printable(text), state_.addresses_for_log());
  if (!state_.protocol.empty()) line += fmt::format(" proto={}", state_.protocol);
  if (!state_.helo.empty()) line += fmt::format(" helo=<{}>", state_.helo);
  log::write(log::Severity::info, line);
}

/// What a verdict comes to for the message.
void Milters::apply(const Verdict& verdict, std::string_view where) {
  std::string_view text = verdict.text;
  switch (verdict.kind) {
    case Verdict::Kind::none:
      return;
    case Verdict::Kind::discard:
      log("milter-discard", where, "milter triggers DISCARD action");
      state_.flags |= proto::kCleanupDiscard;
      return;
    case Verdict::Kind::hold:
      if (state_.has(proto::kCleanupHold)) return;
      log("milter-hold", where, text);
      state_.flags |= proto::kCleanupHold;
      return;
    case Verdict::Kind::reject:
      break;
  }
  if (text.empty()) return;  // The message is lost already.
  std::string_view reason = text.substr(std::min<size_t>(4, text.size()));
  log("milter-reject", where, reason);
  if (handed_) {
    state_.smtp_reply = text;
  } else if (text.starts_with("421")) {
    // Nobody is there whose connection could be ended: it is tried again.
    return state_.fail(proto::kProblemWrite);
  }
  state_.fail(text.starts_with('4') ? proto::kProblemDefer : proto::kProblemContent, printable(reason));
}

// --- the envelope, where it did not come by SMTP ---

void Milters::begin_session() {
  if (std::exchange(begun_, true)) return;
  chain_ = milter::Chain(filters_.local, filters_.settings);
  std::string host = macro("client_name"), address = macro("client_addr");
  if (host == "unknown") host = fmt::format("[{}]", address);
  milter::ClientAddress place{
      .host = host, .address = address, .ipv6 = address.find(':') != std::string::npos};
  place.port = static_cast<uint16_t>(parse_unsigned(macro("client_port")).value_or(0));
  apply(chain_.connect(place, macro_values()), "CONNECT");
  std::string helo = known(names::kHeloName, host);
  if (state_.writing()) command(Event::helo, "EHLO", helo);
}

void Milters::command(Event event, std::string_view where, std::string_view word) {
  const std::string_view words[] = {word};
  std::string data = event == Event::data ? std::string() : milter::words_data(words);
  Verdict verdict = chain_.command(event, data, macro_values());
  if (event != Event::rcpt || verdict.kind != Verdict::Kind::reject) return apply(verdict, where);
  // There is nobody who could leave out one recipient.
  log("milter-reject", where,
      std::string_view(verdict.text).substr(std::min<size_t>(4, verdict.text.size())));
  log::warning("{}: milter configuration error: can't reject recipient in non-smtpd(8) submission",
               state_.id());
  log::warning("{}: message not accepted, try again later", state_.id());
  state_.fail(proto::kProblemWrite);
}

void Milters::sender(const std::string& address) {
  if (!emulates() || !state_.filtered || !state_.writing()) return;
  begin_session();
  if (state_.writing() && state_.problems == 0) command(Event::mail, "MAIL", address);
}

void Milters::recipient(const std::string& address) {
  if (!begun_ || !state_.writing() || state_.problems != 0) return;
  recipient_ = address;
  command(Event::rcpt, "RCPT", address);
}

// --- the content ---

void Milters::inspect(Recipients& recipients, AddressMapper& mapper, uint64_t content) {
  if (!state_.filtered || chain_.empty()) return;
  if (begun_) command(Event::data, "DATA", {});
  if (!state_.writing() || state_.problems != 0) return;
  Edits edits(state_, recipients, mapper, content);
  if (auto opened = edits.open(); !opened) {
    log::warning("{}: read queue file: {}", state_.id(), opened.error().text);
    return state_.fail(proto::kProblemWrite);
  }
  Verdict verdict = chain_.message(edits, edits, macro_values());
  // Nobody is there any more who could be told that the message was accepted: it comes again.
  if (client_lost_) return state_.fail(proto::kProblemBad);
  apply(verdict, "END-OF-MESSAGE");
  if (begun_) chain_.quit();
  if (state_.writing() && state_.problems == 0) edits.finish();
  new_body_ = edits.new_body_size();
}

uint64_t Milters::content_length(uint64_t written, uint64_t content) const {
  return new_body_ ? state_.marks.body - content + *new_body_ : written;
}

}  // namespace postrider::cleanup

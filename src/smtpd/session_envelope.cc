// MAIL and RCPT.
#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtpd/session.h"
#include "smtpd/session_judge.h"

namespace postrider::smtpd {

using access::ErrorClass;
using smtp::Keyword;

namespace {

constexpr std::string_view kUndeclaredUtf8 = "553 5.6.7 Must declare SMTPUTF8 to send unicode address";
constexpr std::string_view kCannotQueue = "451 4.3.0 Error: queue file write error";
constexpr std::string_view kDiskFull = "452 4.3.1 Insufficient system storage";

}  // namespace

std::optional<std::string> Session::read_path(const mail::SmtpWord& word, bool allow_empty, bool strict) {
  auto address = mail::parse_smtp_path(word.text, {.strict = strict, .allow_empty = allow_empty});
  if (address && !(strict && address->starts_with('@'))) return std::move(*address);
  log::warning("Illegal address syntax from {} in {} command: {}", client_.label, where_,
               printable(word.text));
  return std::nullopt;
}

smtp::ParameterRules Session::parameter_rules() const {
  return {.dsn = offers(Keyword::dsn),
          .smtputf8 = server_.settings.smtputf8 && offers(Keyword::smtputf8),
          .xverp = false,
          .default_verp_delimiters = server_.settings.default_verp_delimiters,
          .verp_delimiter_filter = server_.settings.verp_delimiter_filter};
}

bool Session::mail(Words arguments) {
  const Settings& settings = server_.settings;
  if (settings.helo_required && !helo_name_)
    return refuse("503 5.5.1 Error: send HELO/EHLO first", ErrorClass::policy);
  if (mail_) return refuse("503 5.5.1 Error: nested MAIL command");
  if (arguments.size() < 2 || !equals_ignore_case(arguments[0].text, "from:")) {
    return refuse("501 5.5.4 Syntax: MAIL FROM:<address>");
  }
  if (!arguments[1].balanced) return refuse("501 5.1.7 Bad sender address syntax");
  auto sender = read_path(arguments[1], true, settings.strict_envelopes);
  if (!sender) return refuse("501 5.1.7 Bad sender address syntax");
  auto parameters = smtp::parse_mail_parameters(arguments.subspan(2), parameter_rules());
  if (!parameters) {
    if (!parameters.error().warning.empty()) log::warning("{}", parameters.error().warning);
    return refuse(parameters.error().reply);
  }
  if (!fits(*parameters)) return false;
  if (!parameters->verp_delimiters.empty() && sender->empty()) {
    return refuse("503 5.5.1 Error: XVERP requires non-null sender");
  }
  if (!stand_alone() && !settings.delay_reject) {
    sender_candidate_ = *sender;
    bool good = permitted([](access::Judge& judge) { return judge.mail(); });
    sender_candidate_.reset();
    if (!good) return false;
  }
  if (settings.strict_smtputf8 && !parameters->smtputf8 && !is_all_ascii(*sender))
    return refuse(kUndeclaredUtf8);
  mail_.emplace(settings, server_.mail, std::move(*sender), std::move(*parameters));
  if (!settings.delay_open && !open_message()) {
    end_transaction();
    return false;
  }
  reply("250 2.1.0 Ok");
  return true;
}

/// Whether there is room for a message of the size that the client tells.
bool Session::fits(const smtp::MailParameters& parameters) {
  int64_t size = parameters.size.value_or(0);
  return permitted([&](access::Judge& judge) { return judge.size(size); });
}

bool Session::rcpt(Words arguments) {
  const Settings& settings = server_.settings;
  if (!mail_) return refuse("503 5.5.1 Error: need MAIL command");
  if (arguments.size() < 2 || !equals_ignore_case(arguments[0].text, "to:")) {
    return refuse("501 5.5.4 Syntax: RCPT TO:<address>");
  }
  if (!arguments[1].balanced) return refuse("501 5.1.3 Bad recipient address syntax");
  auto recipient = read_path(arguments[1], false, settings.strict_envelopes);
  if (!recipient) return refuse("501 5.1.3 Bad recipient address syntax");
  auto parameters = smtp::parse_rcpt_parameters(arguments.subspan(2), parameter_rules());
  if (!parameters) {
    if (!parameters.error().warning.empty()) log::warning("{}", parameters.error().warning);
    return refuse(parameters.error().reply);
  }
  if (mail_->recipients() >= settings.recipient_limit) {
    reply("452 4.5.3 Error: too many recipients");
    // A client that goes on all the same has got more than its share of patience at some point.
    return overshoot_++ < settings.recipient_overshoot_limit;
  }
  if (settings.strict_smtputf8 && !mail_->parameters().smtputf8 && !is_all_ascii(*recipient)) {
    return refuse(kUndeclaredUtf8);
  }
  if (!stand_alone()) {
    recipient_ = *recipient;
    bool good = permitted([](access::Judge& judge) { return judge.rcpt(); });
    recipient_.reset();
    if (!good) return false;
  }
  if (!mail_->is_open() && !open_message()) return false;
  mail_->add_recipient(*recipient, *parameters);
  reply("250 2.1.5 Ok");
  return true;
}

Origin Session::origin() {
  Origin out;
  out.protocol = protocol_;
  if (helo_name_) out.helo_name = *helo_name_;
  if (stand_alone()) {
    out.local_rewriting = true;
    return out;
  }
  out.client = &client_;
  out.logged = {
      client_.names.name, client_.address, client_.port, client_.label, out.helo_name, protocol_, {}};
  access::Facts facts = this->facts();
  access::Judge judge(server_.policy, server_.world, *this, facts, memory_, service_deadline());
  auto rewrites = judge.rewrites_headers();
  out.local_rewriting = rewrites && *rewrites;
  return out;
}

/// Makes the queue file.
bool Session::open_message() {
  if (auto opened = mail_->open(origin()); !opened) {
    log::warning("{}", opened.error().text);
    return refuse(opened.error().kind == ErrorKind::limit ? kDiskFull : kCannotQueue, ErrorClass::resource);
  }
  if (!stand_alone()) log::info("{}: client={}", mail_->queue_id(), client_.label);
  return true;
}

void Session::end_transaction() {
  mail_.reset();
  overshoot_ = 0;
  memory_.effects = {};
}

}  // namespace postrider::smtpd

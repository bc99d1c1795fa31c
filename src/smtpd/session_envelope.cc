// MAIL and RCPT.
#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "smtpd/session.h"
#include "smtpd/session_judge.h"

namespace postrider::smtpd {

using access::ErrorClass;
using smtp::Keyword;

namespace {

constexpr std::string_view kUndeclaredUtf8 = "553 5.6.7 Must declare SMTPUTF8 to send unicode address";
constexpr std::string_view kBadSender = "501 5.1.7 Bad sender address syntax";
constexpr std::string_view kBadRecipient = "501 5.1.3 Bad recipient address syntax";

bool asks_for_utf8(std::span<const mail::SmtpWord> parameters) {
  return std::any_of(parameters.begin(), parameters.end(),
                     [](const mail::SmtpWord& word) { return equals_ignore_case(word.text, "SMTPUTF8"); });
}

}  // namespace

std::optional<std::string> Session::read_path(const mail::SmtpWord& word, PathRules rules) {
  auto address = mail::parse_smtp_path(word.text, {.strict = rules.strict, .allow_empty = rules.allow_empty});
  if (address && !(rules.strict && address->starts_with('@')) && can_be_resolved(*address, rules.utf8)) {
    return std::move(*address);
  }
  log::warning("Illegal address syntax from {} in {} command: {}", client_.label, where_,
               printable(word.text));
  return std::nullopt;
}

/// Whether mail could go to an address like this at all.
bool Session::can_be_resolved(std::string_view address, bool utf8) {
  if (stand_alone() || address.empty()) return true;
  auto reply =
      server_.world.resolve(mail_ ? mail_->sender() : std::string_view(), address, service_deadline());
  if (reply && (reply->flags & proto::kResolveInvalid) != 0) return false;
  // A domain that folding case takes to ASCII needs no extension.
  std::string domain(mail::domain_of(reply ? reply->recipient : std::string(address)));
  return utf8 || is_all_ascii(server_.settings.smtputf8 ? casefold(domain) : domain);
}

bool Session::refuse(const smtp::ParameterProblem& problem) {
  if (!problem.warning.empty()) log::warning("{}", problem.warning);
  return refuse(problem.reply);
}

/// Between here and a content filter there is no TLS: a header carries the request past it.
std::string Session::without_requiretls(std::string_view command) {
  std::vector<std::string> kept;
  for (std::string_view word : split_any(command, " \t"))
    if (!equals_ignore_case(word, "REQUIRETLS")) kept.emplace_back(word);
  return join(kept, " ");
}

smtp::ParameterRules Session::parameter_rules() const {
  return {.dsn = offers(Keyword::dsn),
          .smtputf8 = offers_utf8(),
          .requiretls = offers_requiretls(),
          .xverp = offers(Keyword::verp) && may_verp_ == Allowed::yes,
          .default_verp_delimiters = server_.settings.default_verp_delimiters,
          .verp_delimiter_filter = server_.settings.verp_delimiter_filter};
}

/// Whether the client has not yet done this too often.
bool Session::within_rate(proto::AnvilEvent event, uint32_t limit, std::string_view what,
                          std::string_view complaint) {
  if (!counted_ || limit == 0) return true;
  auto rate = counted_->count(event);
  if (!rate || *rate <= limit) return true;
  log::warning("{} rate limit exceeded: {} from {} for service {}", what, *rate, client_.label,
               server_.settings.service_name);
  return refuse(fmt::format("450 4.7.1 Error: {} from {}", complaint, client_.address), ErrorClass::policy);
}

bool Session::mail(Words arguments) {
  const Settings& settings = server_.settings;
  if (settings.helo_required && !helo_name_)
    return refuse("503 5.5.1 Error: send HELO/EHLO first", ErrorClass::policy);
  if (mail_) return refuse("503 5.5.1 Error: nested MAIL command");
  if (chunks_ != Chunks::none) return refuse("503 5.5.1 Error: MAIL after BDAT");
  if (arguments.size() < 2 || !equals_ignore_case(arguments[0].text, "from:")) {
    return refuse("501 5.5.4 Syntax: MAIL FROM:<address>");
  }
  if (!within_rate(proto::AnvilEvent::message, server_.limits.message_rate, "Message delivery request",
                   "too much mail")) {
    return false;
  }
  if (!arguments[1].balanced) return refuse(kBadSender);
  // What an address may look like depends on a parameter behind it.
  bool utf8 = offers_utf8() && asks_for_utf8(arguments.subspan(2));
  auto sender =
      read_path(arguments[1], {.allow_empty = true, .strict = settings.strict_envelopes, .utf8 = utf8});
  if (!sender) return refuse(kBadSender);
  auto parameters = smtp::parse_mail_parameters(arguments.subspan(2), parameter_rules());
  if (!parameters) return refuse(parameters.error());
  if (!find_header_rewriting()) return false;
  told_size_ = parameters->size.value_or(told_size_);
  if (told_size_ > 0) parameters->size = told_size_;
  sender_candidate_ = *sender;
  bool good = fits(*parameters);
  sender_candidate_.reset();
  if (!good) return false;
  if (!parameters->verp_delimiters.empty() && sender->empty()) {
    return refuse("503 5.5.4 Error: XVERP requires non-null sender");
  }
  if (!stand_alone() && !settings.delay_reject) {
    sender_candidate_ = *sender;
    good = permitted([](access::Judge& judge) { return judge.mail(); });
    sender_candidate_.reset();
    if (!good) return false;
  }
  if (settings.strict_smtputf8 && !parameters->smtputf8 && !is_all_ascii(*sender))
    return refuse(kUndeclaredUtf8);
  if (uses_filter()) mail_command_ = parameters->requiretls ? without_requiretls(command_) : command_;
  mail_.emplace(settings, server_.mail, *sender, std::move(*parameters));
  if (!milters_accept_mail(arguments, *sender)) {
    mail_.reset();
    end_transaction();
    return false;
  }
  if (!settings.delay_open && !open_message()) {
    end_transaction();
    return false;
  }
  reply("250 2.1.0 Ok");
  return true;
}

/// Finds out whether addresses in the headers of this message are completed with local domains.
bool Session::find_header_rewriting() {
  local_headers_ = stand_alone();
  if (stand_alone()) return true;
  if (forwarded_ && forwarded_->local) {
    local_headers_ = *forwarded_->local;
    return true;
  }
  return permitted([this](access::Judge& judge) -> access::Judge::Answer {
    auto rewrites = judge.rewrites_headers();
    if (!rewrites) return judge.rewriting_unknown();
    local_headers_ = *rewrites;
    return std::nullopt;
  });
}

/// Whether there is room for a message of the size that the client tells.
bool Session::fits(const smtp::MailParameters& parameters) {
  int64_t size = parameters.size.value_or(0);
  if (!permitted([&](access::Judge& judge) { return judge.size(size); })) return false;
  if (stand_alone() || server_.mail.has_room(size)) return true;
  return permitted([](access::Judge& judge) { return judge.no_space(); });
}

bool Session::rcpt(Words arguments) {
  const Settings& settings = server_.settings;
  if (!mail_) return refuse("503 5.5.1 Error: need MAIL command");
  if (chunks_ != Chunks::none) return refuse("503 5.5.1 Error: RCPT after BDAT");
  if (!within_rate(proto::AnvilEvent::recipient, server_.limits.recipient_rate, "Recipient address",
                   "too many recipients")) {
    return false;
  }
  if (arguments.size() < 2 || !equals_ignore_case(arguments[0].text, "to:")) {
    return refuse("501 5.5.4 Syntax: RCPT TO:<address>");
  }
  if (!arguments[1].balanced) return refuse(kBadRecipient);
  auto recipient =
      read_path(arguments[1], {.strict = settings.strict_envelopes, .utf8 = mail_->parameters().smtputf8});
  if (!recipient) return refuse(kBadRecipient);
  auto parameters = smtp::parse_rcpt_parameters(arguments.subspan(2), parameter_rules());
  if (!parameters) return refuse(parameters.error());
  if (mail_->recipients() + earlier_recipients_ >= settings.recipient_limit) {
    reply("452 4.5.3 Error: too many recipients");
    // A client that goes on all the same is making errors at some point.
    if (overshoot_++ < settings.recipient_overshoot_limit) return true;
    errors_made_.add(ErrorClass::policy);
    return false;
  }
  if (settings.strict_smtputf8 && !mail_->parameters().smtputf8 && !is_all_ascii(*recipient)) {
    return refuse(kUndeclaredUtf8);
  }
  // An answer to a probe is for the address that the probe's sender stands for.
  if (auto sender = server_.lists.probe_sender.canonical(*recipient, ::time(nullptr)))
    *recipient = std::move(*sender);
  if (!stand_alone()) {
    recipient_ = *recipient;
    access::Facts facts = this->facts();
    access::Judge judge(server_.policy, server_.world, *this, facts, memory_, service_deadline());
    auto refusal = judge.rcpt();
    recipient_.reset();
    if (refusal) {
      tell_milters_of_refusal(arguments, refusal->reply);
      return refuse(*refusal);
    }
    if (!milters_accept_rcpt(arguments, *recipient)) return false;
  }
  if (!mail_->is_open() && !open_message()) return false;
  if (FilterSink* filter = mail_->filter()) {
    if (auto refusal = filter->recipient(command_)) return refuse(*refusal);
  }
  // Without ORCPT, what the client wrote between "<" and ">" is the original recipient.
  if (!parameters->original) {
    std::string_view written = arguments[1].text;
    if (written.starts_with('<')) written.remove_prefix(1);
    if (written.ends_with('>')) written.remove_suffix(1);
    parameters->original = {.type = "rfc822", .address = std::string(written)};
  }
  mail_->add_recipient(*recipient, *parameters);
  reply("250 2.1.5 Ok");
  return true;
}

Origin Session::origin() {
  Origin out;
  out.protocol = protocol_;
  if (helo_name_) out.helo_name = *helo_name_;
  out.local_rewriting = local_headers_;
  if (stand_alone()) return out;
  out.client = &client_;
  out.filtered = milters_ != nullptr;
  if (forwarded_ && forwarded_->has_client) {
    const Forwarded& from = *forwarded_;
    out.logged = {from.name, from.address, from.port, from.label, from.helo_name, from.protocol, {}};
  } else {
    out.logged = {
        client_.names.name, client_.address, client_.port, client_.label, out.helo_name, protocol_, {}};
  }
  if (forwarded_) out.logged.ident = forwarded_->ident;
  return out;
}

bool Session::open_queue_file(const Origin& from) {
  auto opened = mail_->open(from);
  if (opened) return true;
  log::warning("{}", opened.error().text);
  return refuse(opened.error().kind == ErrorKind::limit ? "452 4.3.1 Insufficient system storage"
                                                        : "451 4.3.0 Error: queue file write error",
                ErrorClass::resource);
}

/// Makes the queue file, or begins with the content filter.
bool Session::open_message() {
  if (!(uses_filter() ? open_filter(origin()) : open_queue_file(origin()))) return false;
  std::string from;
  if (!client_.login.empty())
    from = fmt::format(", sasl_method={}, sasl_username={}", client_.login_method, client_.login);
  if (!mail_->sasl_sender().empty()) from += fmt::format(", sasl_sender={}", mail_->sasl_sender());
  if (forwarded_) {
    if (!forwarded_->ident.empty()) from += fmt::format(", orig_queue_id={}", forwarded_->ident);
    if (forwarded_->has_client) from += fmt::format(", orig_client={}", forwarded_->label);
  }
  log::info("{}: client={}{}", queue_id_or_none(), client_.label, from);
  return true;
}

void Session::end_transaction() {
  if (mail_) mail_->abandon();
  if (mail_ && milters_) milters_->abort();
  mail_.reset();
  earlier_recipients_ = 0;
  overshoot_ = 0;
  told_size_ = 0;
  chunks_ = Chunks::none;
  chunk_reader_.reset();
  in_content_ = content_has_bare_lf_ = false;
  forwarded_.reset();
  memory_.effects = {};
  memory_.leases.clear();
}

}  // namespace postrider::smtpd

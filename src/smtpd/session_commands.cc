// Commands outside of mail transactions.
#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"
#include "smtpd/session.h"
#include "smtpd/session_judge.h"

namespace postrider::smtpd {

using access::ErrorClass;
using proto::FlushResult;
using smtp::Keyword;

namespace {

constexpr size_t kShown = 100;
constexpr std::string_view kUndeclaredUtf8 = "553 5.6.7 Must declare SMTPUTF8 to send unicode address";
constexpr std::string_view kNotAuthorized = "550 5.7.0 Error: insufficient authorization";
constexpr std::string_view kInTransaction = "503 5.5.1 Error: MAIL transaction in progress";

}  // namespace

bool Session::helo(Words arguments) {
  if (arguments.empty()) return refuse("501 Syntax: HELO hostname");
  // Who has said EHLO before stays a client that knows extensions.
  if (!introduce(arguments, protocol_)) return false;
  reply(fmt::format("250 {}", server_.settings.myhostname));
  return true;
}

bool Session::introduce(Words arguments, std::string_view protocol) {
  std::string name = smtp::joined(arguments);
  if (!stand_alone() && !server_.settings.delay_reject) {
    helo_candidate_ = name;
    bool good = permitted([](access::Judge& judge) { return judge.helo(); });
    helo_candidate_.reset();
    if (!good) return false;
  }
  helo_candidate_ = name;
  const std::string_view words[] = {name};
  auto refusal = ask_milters(MilterEvent::helo, milter::words_data(words));
  helo_candidate_.reset();
  if (helo_name_ && milters_) milters_->abort();
  close_transcript(server_.settings.transcript_limit);
  end_transaction();
  helo_name_ = harmless_name(name);
  protocol_ = protocol;
  // What follows will be refused; the client may say what it wants to say all the same, as with Postfix.
  milters_refuse_ = refusal && refusal->starts_with('5');
  if (refusal && refusal->starts_with("421")) return refuse_for_milter(*refusal);
  return true;
}

bool Session::ehlo(Words arguments) {
  const Settings& settings = server_.settings;
  if (arguments.empty()) return refuse("501 Syntax: EHLO hostname");
  for (const auto& [may, keyword] :
       {std::pair(may_verp_, "XVERP"), {may_xclient_, "XCLIENT"}, {may_xforward_, "XFORWARD"}}) {
    if (may != Allowed::unknown) continue;
    log::warning("don't know if EHLO feature {} should be announced to {}", keyword, client_.label);
    return local_data_error();
  }
  if (!knows_discarded_) {
    log::warning("don't know what EHLO features to announce to {}", client_.label);
    return local_data_error();
  }
  if (authentication_offered() && !prepare_authentication()) return local_data_error();
  if (!introduce(arguments, "ESMTP")) return false;
  if (!discarded_.empty() && !discarded_.has(Keyword::silent_discard)) {
    log::info("discarding EHLO keywords: {}", smtp::keyword_text(discarded_));
  }
  std::vector<std::string> lines{settings.myhostname};
  auto offer = [&](Keyword keyword, std::string text, bool enabled = true) {
    if (enabled && offers(keyword)) lines.push_back(std::move(text));
  };
  if (milters_refuse_) {
    reply_lines({"250-" + settings.myhostname, "250 ENHANCEDSTATUSCODES"});
    return true;
  }
  offer(Keyword::pipelining, "PIPELINING");
  offer(Keyword::size,
        settings.message_size_limit > 0 ? fmt::format("SIZE {}", settings.message_size_limit) : "SIZE");
  offer(Keyword::vrfy, "VRFY", !settings.disable_vrfy);
  offer(Keyword::etrn, "ETRN");
  offer(Keyword::starttls, "STARTTLS", starttls_offered());
  if (authentication_offered()) {
    std::string names = join(mechanisms_, " ");
    offer(Keyword::auth, "AUTH " + names);
    offer(Keyword::auth, "AUTH=" + names, settings.sasl.old_clients);
  }
  offer(Keyword::verp, "XVERP", may_verp_ == Allowed::yes);
  offer(Keyword::xclient, "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT",
        may_xclient_ == Allowed::yes);
  offer(Keyword::xforward, "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT", may_xforward_ == Allowed::yes);
  offer(Keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES");
  offer(Keyword::eightbitmime, "8BITMIME");
  offer(Keyword::dsn, "DSN");
  offer(Keyword::smtputf8, "SMTPUTF8", settings.smtputf8);
  offer(Keyword::chunking, "CHUNKING");
  offer(Keyword::requiretls, "REQUIRETLS", offers_requiretls());
  for (size_t i = 0; i < lines.size(); ++i)
    lines[i].insert(0, i + 1 < lines.size() ? "250-" : "250 ");
  reply_lines(std::move(lines));
  return true;
}

bool Session::rset(Words arguments) {
  if (!arguments.empty()) return refuse("501 5.5.4 Syntax: RSET");
  close_transcript(server_.settings.transcript_limit);
  end_transaction();
  reply("250 2.0.0 Ok");
  return true;
}

bool Session::noop(Words) {
  // RFC 5321 allows an argument.
  reply("250 2.0.0 Ok");
  return true;
}

bool Session::help(Words) {
  reply("214 2.0.0 Commands: " + smtp::verb_list());
  return true;
}

bool Session::quit(Words) {
  reply("221 2.0.0 Bye");
  return true;
}

bool Session::vrfy(Words arguments) {
  const Settings& settings = server_.settings;
  if (settings.disable_vrfy) return refuse("502 5.5.1 VRFY command is disabled", ErrorClass::policy);
  bool utf8 = offers_utf8() && arguments.size() > 1 && equals_ignore_case(arguments.back().text, "SMTPUTF8");
  if (utf8) arguments = arguments.first(arguments.size() - 1);
  if (arguments.empty()) {
    return refuse(offers_utf8() ? "501 5.5.4 Syntax: VRFY address [SMTPUTF8]"
                                : "501 5.5.4 Syntax: VRFY address");
  }
  std::string text = smtp::joined(arguments);
  auto address = read_path({.text = text, .balanced = true}, {.utf8 = utf8});
  if (!address) return refuse("501 5.1.3 Bad recipient address syntax");
  if (settings.strict_smtputf8 && !utf8 && !is_all_ascii(*address)) {
    end_transaction();
    return refuse(kUndeclaredUtf8);
  }
  if (!stand_alone()) {
    recipient_ = *address;
    asks_utf8_ = utf8;
    bool good = permitted([](access::Judge& judge) { return judge.rcpt(); });
    recipient_.reset();
    asks_utf8_ = false;
    if (!good) return false;
  }
  // Whether the address exists may depend on whoever it is passed on to.
  reply(fmt::format("252 2.0.0 {}", text));
  return true;
}

bool Session::etrn(Words arguments) {
  if (server_.settings.helo_required && !helo_name_) {
    return refuse("503 Error: send HELO/EHLO first", ErrorClass::policy);
  }
  if (mail_) return refuse("503 Error: MAIL transaction in progress");
  if (arguments.size() != 1) return refuse("500 Syntax: ETRN domain");
  std::string_view domain = arguments[0].text;
  // "@domain" and "#queue" of RFC 1985.
  if (!domain.empty() && !is_alnum(domain[0]) && domain[0] != '[') domain.remove_prefix(1);
  if (!mail::valid_hostname(domain) && !mail::valid_mailhost_literal(domain)) {
    return refuse("501 Error: invalid parameter syntax");
  }
  if (stand_alone()) {
    log::warning("do not use ETRN in \"sendmail -bs\" mode");
    return refuse("458 Unable to queue messages", ErrorClass::policy);
  }
  if (!permitted([&](access::Judge& judge) { return judge.etrn(domain); })) return false;
  switch (server_.flusher.flush(domain)) {
    case FlushResult::ok:
      reply("250 Queuing started");
      return true;
    case FlushResult::denied:
      log::warning("reject: ETRN {}... from {}", domain.substr(0, kShown), client_.label);
      return refuse(fmt::format("459 <{}>: service unavailable", domain), ErrorClass::policy);
    case FlushResult::invalid:
      log::warning("bad ETRN {}... from {}", domain.substr(0, kShown), client_.label);
      return refuse("458 Unable to queue messages", ErrorClass::policy);
    case FlushResult::failed:
      break;
  }
  log::warning("unable to talk to fast flush service");
  return refuse("458 Unable to queue messages", ErrorClass::resource);
}

bool Session::xclient(Words arguments) {
  if (arguments.empty()) return refuse("501 5.5.4 Syntax: XCLIENT attribute=value...");
  if (mail_) return refuse(kInTransaction);
  if (may_xclient_ == Allowed::unknown) return local_data_error();
  if (may_xclient_ == Allowed::no) return refuse(kNotAuthorized, ErrorClass::policy);
  Substitute substitute{.client = client_, .helo_name = {}, .protocol = "SMTP", .has_helo = false};
  // Whoever it is now, the client itself has not logged in.
  if (substitute.client.login_method != kXclientLogin) substitute.client.login.clear();
  auto applied = apply_xclient(arguments, substitute, server_.settings.families);
  client_ = std::move(substitute.client);
  if (!applied) return refuse(applied.error());
  client_.make_label(server_.settings.client_port_logging);
  close_transcript(0);
  end_transaction();
  // Filters hear of a new client.
  if (milters_) milters_->quit();
  helo_name_ = std::move(substitute.helo_name);
  protocol_ = substitute.protocol;
  memory_ = {};
  assess_client();
  welcome();
  return true;
}

bool Session::xforward(Words arguments) {
  if (arguments.empty()) return refuse("501 5.5.4 Syntax: XFORWARD attribute=value...");
  if (mail_) return refuse(kInTransaction);
  if (may_xforward_ == Allowed::unknown) return local_data_error();
  if (may_xforward_ == Allowed::no) return refuse(kNotAuthorized, ErrorClass::policy);
  if (!forwarded_) forwarded_ = std::make_unique<Forwarded>();
  if (auto applied = apply_xforward(arguments, *forwarded_, server_.settings.families); !applied) {
    if (!forwarded_->told) forwarded_.reset();
    return refuse(applied.error());
  }
  if (forwarded_->renamed) forwarded_->make_label(server_.settings.client_port_logging);
  reply("250 2.0.0 Ok");
  return true;
}

}  // namespace postrider::smtpd

// Commands outside of mail transactions.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"
#include "smtpd/session.h"
#include "smtpd/session_judge.h"

namespace postrider::smtpd {

using smtp::Keyword;

namespace {

/// A name that the client gave, fit for headers and log lines.
std::string harmless(std::string_view name) {
  constexpr std::string_view kSpecial = " <>()\\\";@";
  std::string out = printable(name);
  std::replace_if(
      out.begin(), out.end(), [&](char c) { return kSpecial.find(c) != std::string_view::npos; }, '?');
  return out;
}

}  // namespace

bool Session::helo(Words arguments) {
  if (arguments.empty()) return refuse("501 Syntax: HELO hostname");
  if (!introduce(arguments, "SMTP")) return false;
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
  end_transaction();
  helo_name_ = harmless(name);
  protocol_ = protocol;
  return true;
}

bool Session::ehlo(Words arguments) {
  const Settings& settings = server_.settings;
  if (arguments.empty()) return refuse("501 Syntax: EHLO hostname");
  if (!introduce(arguments, "ESMTP")) return false;
  if (!settings.discard_keywords.empty() && !settings.discard_keywords.has(Keyword::silent_discard)) {
    log::info("discarding EHLO keywords: {}", smtp::keyword_text(settings.discard_keywords));
  }
  std::vector<std::string> lines{settings.myhostname};
  auto offer = [&](Keyword keyword, std::string text) {
    if (offers(keyword)) lines.push_back(std::move(text));
  };
  offer(Keyword::pipelining, "PIPELINING");
  offer(Keyword::size,
        settings.message_size_limit > 0 ? fmt::format("SIZE {}", settings.message_size_limit) : "SIZE");
  if (!settings.disable_vrfy) offer(Keyword::vrfy, "VRFY");
  offer(Keyword::etrn, "ETRN");
  offer(Keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES");
  offer(Keyword::eightbitmime, "8BITMIME");
  offer(Keyword::dsn, "DSN");
  if (settings.smtputf8) offer(Keyword::smtputf8, "SMTPUTF8");
  offer(Keyword::chunking, "CHUNKING");
  for (size_t i = 0; i < lines.size(); ++i)
    lines[i].insert(0, i + 1 < lines.size() ? "250-" : "250 ");
  reply_lines(lines);
  return true;
}

bool Session::rset(Words arguments) {
  if (!arguments.empty()) return refuse("501 5.5.4 Syntax: RSET");
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
  if (server_.settings.disable_vrfy)
    return refuse("502 5.5.1 VRFY command is disabled", access::ErrorClass::policy);
  asks_utf8_ = false;
  if (server_.settings.smtputf8 && offers(Keyword::smtputf8) && arguments.size() > 1 &&
      equals_ignore_case(arguments.back().text, "SMTPUTF8")) {
    asks_utf8_ = true;
    arguments = arguments.first(arguments.size() - 1);
  }
  if (arguments.empty()) {
    return refuse(server_.settings.smtputf8 && offers(Keyword::smtputf8)
                      ? "501 5.5.4 Syntax: VRFY address [SMTPUTF8]"
                      : "501 5.5.4 Syntax: VRFY address");
  }
  std::string text = smtp::joined(arguments);
  mail::SmtpWord word{.text = text, .balanced = true};
  auto address = read_path(word, false, false);
  if (!address) return refuse("501 5.1.3 Bad recipient address syntax");
  if (server_.settings.strict_smtputf8 && !asks_utf8_ && !is_all_ascii(*address)) {
    return refuse("553 5.6.7 Must declare SMTPUTF8 to send unicode address");
  }
  if (!stand_alone()) {
    recipient_ = *address;
    bool good = permitted([](access::Judge& judge) { return judge.rcpt(); });
    recipient_.reset();
    asks_utf8_ = false;
    if (!good) return false;
  }
  reply(fmt::format("252 2.0.0 {}", text));
  return true;
}

bool Session::etrn(Words arguments) {
  if (server_.settings.helo_required && !helo_name_)
    return refuse("503 Error: send HELO/EHLO first", access::ErrorClass::policy);
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
    return refuse("458 Unable to queue messages");
  }
  if (!permitted([&](access::Judge& judge) { return judge.etrn(domain); })) return false;
  log::warning("unable to talk to fast flush service");
  return refuse("458 Unable to queue messages");
}

bool Session::not_implemented(Words) {
  return refuse("502 5.5.1 Error: command not implemented");
}

bool Session::no_authentication(Words) {
  return refuse("503 5.5.1 Error: authentication not enabled");
}

bool Session::no_authorization(Words) {
  return refuse("550 5.7.0 Error: insufficient authorization", access::ErrorClass::policy);
}

}  // namespace postrider::smtpd

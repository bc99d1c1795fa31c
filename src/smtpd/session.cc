#include "smtpd/session.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/header.h"

namespace postrider::smtpd {

using smtp::Verb;

namespace {

/// How much of a client's text log lines show.
constexpr size_t kShown = 100;

}  // namespace

Session::Session(const Server& server, io::Stream stream, Client client)
    : server_(server),
      dialogue_(server.settings, std::move(stream)),
      client_(std::move(client)),
      bare_lf_(server.settings.bare_lf) {}

void Session::run() {
  if (!stand_alone()) log::info("connect from {}", client_.label);
  if (greet()) serve_commands();
  // What was not finished is gone before the log says so.
  report_end();
  end_transaction();
  dialogue_.close();
  if (!stand_alone()) log::info("disconnect from {}{}", client_.label, count_text());
}

bool Session::greet() {
  if (!stand_alone()) {
    // Who speaks first is no mail client.
    if (client_talks_ahead("CONNECT") && server_.settings.forbid_unauth_pipelining) {
      reply("554 5.5.0 Error: SMTP protocol synchronization");
      return false;
    }
    if (!server_.settings.delay_reject) {
      access::Facts facts = this->facts();
      access::Judge judge(server_.policy, server_.world, *this, facts, memory_, service_deadline());
      if (auto refusal = judge.client()) {
        if (memory_.hang_up) return false;
        access_denied_ = refusal->reply;
        reply(refusal->reply);
        return true;
      }
    }
  }
  reply(fmt::format("220 {}", server_.settings.banner));
  return true;
}

void Session::serve_commands() {
  const Settings& settings = server_.settings;
  while (!hang_up_) {
    if (errors_ >= settings.hard_error_limit) {
      too_many_errors_ = true;
      reply(fmt::format("421 4.7.0 {} Error: too many errors", settings.myhostname));
      return;
    }
    auto command = dialogue_.read_command();
    if (!command) {
      if (dialogue_.end() == Dialogue::End::timeout) {
        reply(fmt::format("421 4.4.2 {} Error: timeout exceeded", settings.myhostname));
      }
      return;
    }
    if (!execute(*command)) return;
  }
}

/// False when the session is over.
bool Session::execute(const Dialogue::Command& command) {
  const Settings& settings = server_.settings;
  auto count_unknown = [&] { ++counts_[static_cast<size_t>(Verb::unknown)].total; };
  if (command.bare_lf) {
    saw_bare_lf_ = saw_bare_lf_ || bare_lf_ == BareLf::note;
    if (bare_lf_ == BareLf::reject) {
      event("reject", "bare <LF> received", facts(), {});
      reply(fmt::format("{} 5.5.2 {} Error: bare <LF> received", settings.bare_lf_code, settings.myhostname));
      return false;
    }
  }
  if (settings.smtputf8 && !is_valid_utf8(command.text)) {
    count_unknown();
    refuse("500 5.5.2 Error: bad UTF-8 syntax");
    ++errors_;
    return true;
  }
  smtp::CommandLine line = smtp::parse_command_line(command.text);
  if (line.words.empty()) {
    count_unknown();
    refuse("500 5.5.2 Error: bad syntax");
    ++errors_;
    return true;
  }
  Count& count = counts_[static_cast<size_t>(line.verb)];
  ++count.total;
  if (line.verb == Verb::unknown) {
    where_ = "UNKNOWN";
    // A header where a command should be: this is a message for a program that speaks another protocol.
    size_t name = mail::header_name_length(line.name());
    if (name > 0 && name < line.name().size()) {
      log::warning("non-SMTP command from {}: {}", client_.label, printable(command.text).substr(0, kShown));
      reply("221 2.7.0 Error: I can break rules, too. Goodbye.");
      return false;
    }
  }
  if (!access_denied_.empty() && line.verb != Verb::quit) {
    reply(fmt::format("503 5.7.0 Error: access denied for {}", client_.label));
    ++errors_;
    return true;
  }
  if (line.verb == Verb::unknown) {
    refuse("500 5.5.2 Error: command not recognized");
    ++errors_;
    return true;
  }
  where_ = smtp::info(line.verb).name;
  if (!stand_alone() && (protocol_ != "ESMTP" || smtp::info(line.verb).ends_group) &&
      client_talks_ahead(where_) && settings.forbid_unauth_pipelining) {
    reply("554 5.5.0 Error: SMTP protocol synchronization");
    return false;
  }
  if (perform(line.verb, line.arguments())) {
    ++count.done;
  } else {
    ++errors_;
  }
  if (smtp::info(line.verb).junk && junk_++ > settings.junk_command_limit) ++errors_;
  return line.verb != Verb::quit && dialogue_.end() == Dialogue::End::none;
}

Session::Handler Session::handler(Verb verb) {
  switch (verb) {
    case Verb::helo:
      return &Session::helo;
    case Verb::ehlo:
      return &Session::ehlo;
    case Verb::xclient:
    case Verb::xforward:
      return &Session::no_authorization;
    case Verb::starttls:
      return &Session::not_implemented;
    case Verb::auth:
      return &Session::no_authentication;
    case Verb::mail:
      return &Session::mail;
    case Verb::rcpt:
      return &Session::rcpt;
    case Verb::data:
      return &Session::data;
    case Verb::bdat:
      return &Session::bdat;
    case Verb::rset:
      return &Session::rset;
    case Verb::noop:
      return &Session::noop;
    case Verb::vrfy:
      return &Session::vrfy;
    case Verb::etrn:
      return &Session::etrn;
    case Verb::quit:
      return &Session::quit;
    case Verb::help:
    case Verb::unknown:
      break;
  }
  return &Session::help;
}

bool Session::perform(Verb verb, Words arguments) {
  return (this->*handler(verb))(arguments);
}

/// Whether the client has sent something where it has to wait for an answer. Logged once.
bool Session::client_talks_ahead(std::string_view where) {
  if (!dialogue_.input_waiting()) return false;
  if (!improper_pipelining_) {
    improper_pipelining_ = true;
    log::info("improper command pipelining after {} from {}: {}", where, client_.label,
              escaped(dialogue_.waiting_input().substr(0, kShown)));
  }
  return true;
}

void Session::report_end() const {
  std::string_view reason;
  if (too_many_errors_) {
    reason = "too many errors";
  } else if (dialogue_.end() == Dialogue::End::lost) {
    reason = "lost connection";
  } else if (dialogue_.end() == Dialogue::End::timeout) {
    reason = "timeout";
  } else {
    return;
  }
  std::string bytes;
  if (where_.ends_with(" content") && mail_) bytes = fmt::format(" ({} bytes)", mail_->size());
  log::info("{}: {} after {}{} from {}", queue_id_or_none(), reason, where_, bytes, client_.label);
}

std::string Session::count_text() const {
  std::string out;
  Count all;
  auto add = [&](std::string_view name, Count count) {
    out += fmt::format(" {}={}", name, count.done);
    if (count.done != count.total) out += fmt::format("/{}", count.total);
  };
  for (size_t i = 0; i < smtp::kVerbs; ++i) {
    const Count& count = counts_[i];
    all.done += count.done;
    all.total += count.total;
    if (count.total > 0) add(lowercase(smtp::info(static_cast<Verb>(i)).name), count);
  }
  add("commands", all);
  if (saw_bare_lf_) out += " notes=bare_lf";
  return out;
}

}  // namespace postrider::smtpd

// The commands of the built-in SMTP engine.
#include <ctime>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "postscreen/engine.h"
#include "postscreen/path.h"

namespace postrider::postscreen {

using smtp::Keyword;

namespace {

constexpr std::string_view kHeloFirst = "503 5.5.1 Error: send HELO/EHLO first";

}  // namespace

bool Engine::helo(const Command& command) {
  if (command.argument().empty()) return reply("501 Syntax: HELO hostname");
  introduce(command, protocol_);
  return reply("250 " + settings_.myhostname);
}

/// Who has said EHLO before stays a client that knows extensions.
bool Engine::introduce(const Command& command, std::string_view protocol) {
  helo_ = std::string(command.argument());
  protocol_ = protocol;
  sender_.reset();
  return true;
}

bool Engine::ehlo(const Command& command) {
  if (command.argument().empty()) return reply("501 Syntax: EHLO hostname");
  discarded_ = settings_.discard_keywords;
  if (!lists_.ehlo_discard.empty()) {
    auto found = lists_.ehlo_discard.find(peer_.ip, table::Where::all, Deadline::after(patience_->command));
    if (!found) {
      log::warning("don't know what EHLO features to announce to {}", peer_.label);
      return local_data_error();
    }
    if (*found) discarded_ = smtp::parse_keywords((*found)->value);
  }
  introduce(command, "ESMTP");
  std::vector<std::string> lines{settings_.myhostname};
  auto offer = [&](Keyword keyword, std::string text, bool enabled = true) {
    if (enabled && !discarded_.has(keyword)) lines.push_back(std::move(text));
  };
  offer(Keyword::size,
        settings_.message_size_limit > 0 ? fmt::format("SIZE {}", settings_.message_size_limit) : "SIZE");
  offer(Keyword::vrfy, "VRFY", settings_.offer_vrfy);
  offer(Keyword::etrn, "ETRN");
  offer(Keyword::starttls, "STARTTLS", settings_.tls.offered && !in_tls_);
  offer(Keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES");
  offer(Keyword::eightbitmime, "8BITMIME");
  offer(Keyword::dsn, "DSN");
  offer(Keyword::smtputf8, "SMTPUTF8", settings_.smtputf8);
  offer(Keyword::chunking, "CHUNKING");
  for (size_t i = 0; i < lines.size(); ++i)
    stream_.write(fmt::format("250{}{}\r\n", i + 1 < lines.size() ? '-' : ' ', lines[i]));
  return true;
}

bool Engine::mail(const Command& command) {
  if (settings_.helo_required && !helo_) return reply(kHeloFirst);
  if (sender_) return reply("503 5.5.1 Error: nested MAIL command");
  auto address = path_argument(command.rest);
  if (!address) return reply("501 5.5.4 Syntax: MAIL FROM:<address>");
  sender_ = std::move(*address);
  return reply("250 2.1.0 Ok");
}

bool Engine::rcpt(const Command& command) {
  // A client that has come so far has shown what the tests are about.
  progress_.pass_deep_tests(::time(nullptr));
  if (!sender_) return reply("503 5.5.1 Error: need MAIL command");
  auto address = path_argument(command.rest);
  if (!address) return reply("501 5.5.4 Syntax: RCPT TO:<address>");
  log_refusal(*address);
  return reply(refusal());
}

void Engine::log_refusal(std::string_view recipient) const {
  auto text = [&](std::string_view address) {
    std::string out = mail::log_address(address, settings_.log_form);
    return settings_.smtputf8 ? printable(out) : printable_ascii(out);
  };
  std::string helo = helo_.value_or(std::string());
  log::info("NOQUEUE: reject: RCPT from {}: {}; from=<{}>, to=<{}>, proto={}, helo=<{}>", peer_.label,
            replies_.softened(refusal()), text(*sender_), text(recipient), protocol_,
            settings_.smtputf8 ? printable(helo) : printable_ascii(helo));
}

/// No recipient was accepted, so whoever comes with a message now reads no replies.
bool Engine::data(const Command&) {
  log::info("DATA without valid RCPT from {}", peer_.label);
  return end_with(sender_ ? "554 5.5.1 Error: no valid recipients" : "503 5.5.1 Error: need RCPT command");
}

bool Engine::bdat(const Command& command) {
  log::info("BDAT without valid RCPT from {}", peer_.label);
  if (command.argument().empty()) return end_with("501 5.5.4 Syntax: BDAT count [LAST]");
  return end_with(sender_ ? "554 5.5.1 Error: no valid recipients" : "554 5.5.1 Error: need MAIL command");
}

bool Engine::rset(const Command&) {
  sender_.reset();
  return reply("250 2.0.0 Ok");
}

bool Engine::noop(const Command&) {
  return reply("250 2.0.0 Ok");
}

bool Engine::vrfy(const Command& command) {
  if (settings_.disable_vrfy) return reply("502 5.5.1 VRFY command is disabled");
  if (command.argument().empty()) return reply("501 5.5.4 Syntax: VRFY address");
  return reply(refusal());
}

bool Engine::etrn(const Command& command) {
  if (settings_.helo_required && !helo_) return reply(kHeloFirst);
  if (command.argument().empty()) return reply("500 Syntax: ETRN domain");
  return reply("458 Unable to queue messages");
}

bool Engine::quit(const Command&) {
  return end_with("221 2.0.0 Bye");
}

bool Engine::unknown(const Command&) {
  return reply("502 5.5.2 Error: command not recognized");
}

}  // namespace postrider::postscreen

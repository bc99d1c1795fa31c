#include "smtpd/session.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/header.h"

namespace postrider::smtpd {

using access::ErrorClass;
using smtp::Verb;

namespace {

/// How much of a client's text log lines show.
constexpr size_t kShown = 100;

std::string shown(std::string_view text) {
  return printable(text.substr(0, kShown));
}

/// A command as others than the server may see it: the first response of an authentication is a password.
std::string_view without_secrets(std::string_view command) {
  std::string_view rest = command;
  auto verb = next_token(rest, " \t");
  if (!verb || !equals_ignore_case(*verb, "AUTH") || !next_token(rest, " \t")) return command;
  return command.substr(0, command.size() - rest.size());
}

/// One line or the beginning of one.
bool is_single_line(std::string_view input) {
  return input.substr(0, input.find('\n')).size() + 1 >= input.size();
}

}  // namespace

Session::Session(const Server& server, io::Stream stream, Client client)
    : server_(server),
      dialogue_(server.settings, std::move(stream), client.label),
      client_(std::move(client)),
      bare_lf_(server.settings.bare_lf) {}

void Session::run() {
  log::info("connect from {}", client_.label);
  assess_client();
  if (!stand_alone()) may_xforward_ = allowed_by(server_.lists.xforward, client_, service_deadline());
  if (greet()) serve_commands();
  if (dialogue_.end() == Dialogue::End::timeout)
    reply(fmt::format("421 4.4.2 {} Error: timeout exceeded", server_.settings.myhostname));
  report_end();
  close_transcript(0);
  // What was not finished is gone before the log says so, and this client is not counted any more before it
  // can come again.
  end_transaction();
  end_milters();
  if (counted_) counted_->end();
  dialogue_.finish();
  log::info("disconnect from {}{}", client_.label, count_text());
}

/// What depends on who the client is. It may become another one.
void Session::assess_client() {
  const Settings& settings = server_.settings;
  const Lists& lists = server_.lists;
  Deadline deadline = service_deadline();
  bare_lf_ = settings.bare_lf;
  discarded_ = settings.discard_keywords;
  knows_discarded_ = true;
  if (stand_alone()) return;
  may_xclient_ = allowed_by(lists.xclient, client_, deadline);
  may_verp_ = allowed_by(lists.verp, client_, deadline);
  may_log_in_ = server_.sasl && allowed_by(lists.sasl_exceptions, client_, deadline) == Allowed::no;
  dialogue_.set_logged(has_client(lists.debug_peers, client_, deadline));
  without_limits_ = may_xclient_ == Allowed::yes || has_client(lists.event_exceptions, client_, deadline);
  if (bare_lf_ != BareLf::accept && has_client(lists.bare_lf_exclusions, client_, deadline))
    bare_lf_ = BareLf::accept;
  if (!lists.ehlo_discard.empty()) {
    auto found = lists.ehlo_discard.find(client_.address, table::Where::all, deadline);
    if (found && *found) discarded_ = smtp::parse_keywords((*found)->value);
    knows_discarded_ = found.has_value();
  }
}

bool Session::greet() {
  if (client_.unidentified) {
    // The log has the reason; the postmaster need not hear of each client that a load balancer says nothing
    // about.
    reply(fmt::format("421 4.3.0 {} Server local error", server_.settings.myhostname));
    return false;
  }
  if (!stand_alone()) {
    if (!within_connection_limits()) return false;
    if (server_.settings.tls.wrapped && !greet_with_tls()) return false;
    // Who sends a whole session ahead is no mail client. A first command that comes too early harms nobody:
    // it is answered after the greeting, as the client expects.
    if (!tls_ && !client_.passed && client_talks_ahead("CONNECT") &&
        server_.settings.forbid_unauth_pipelining && !is_single_line(dialogue_.waiting_input())) {
      return refuse("554 5.5.0 Error: SMTP protocol synchronization");
    }
  }
  welcome();
  return true;
}

/// Tells the client whether it may speak, where that is said at once. It may be another one after XCLIENT.
void Session::welcome() {
  access_denied_.clear();
  if (!stand_alone() && !server_.settings.delay_reject) {
    access::Facts facts = this->facts();
    access::Judge judge(server_.policy, server_.world, *this, facts, memory_, service_deadline());
    if (auto refusal = judge.client()) {
      access_denied_ = refusal->reply;
      refuse(*refusal);
      return;
    }
  }
  // Filters hear of the client, and their word on it is logged, as if it came now.
  std::string_view where = std::exchange(where_, "CONNECT");
  auto against = begin_milters();
  where_ = where;
  const Settings& settings = server_.settings;
  if (against && against->starts_with('5')) {
    errors_made_.add(ErrorClass::policy);
    return reply(fmt::format("554 {} ESMTP not accepting connections", settings.myhostname));
  }
  if (against && against->starts_with("421")) {
    refuse(fmt::format("421 {} Service unavailable - try again later", settings.myhostname),
           ErrorClass::policy);
    return;
  }
  reply(fmt::format("220 {}", settings.banner));
}

bool Session::within_connection_limits() {
  const EventLimits& limits = server_.limits;
  if (without_limits_ || !limits.any()) return true;
  counted_.emplace(server_.counter, event_ident(server_.settings.service_name, client_, limits));
  auto now = counted_->begin();
  if (!now) {
    counted_.reset();
    return true;
  }
  connections_ = now->count;
  auto check = [&](std::string_view what, uint32_t value, uint32_t limit) {
    if (limit == 0 || value <= limit) return true;
    log::warning("Connection {} limit exceeded: {} from {} for service {}", what, value, client_.label,
                 server_.settings.service_name);
    return refuse(fmt::format("421 4.7.0 {} Error: too many connections from {}", server_.settings.myhostname,
                              client_.address),
                  ErrorClass::policy);
  };
  return check("concurrency", now->count, limits.connection_count) &&
         check("rate", now->rate, limits.connection_rate);
}

void Session::serve_commands() {
  const Settings& settings = server_.settings;
  while (!hang_up_) {
    if (errors_ >= settings.hard_error_limit) {
      too_many_errors_ = true;
      refuse(fmt::format("421 4.7.0 {} Error: too many errors", settings.myhostname));
      return;
    }
    auto command = dialogue_.read_command();
    if (!command) return;
    if (!execute(std::move(*command))) return;
    if (dialogue_.end() != Dialogue::End::none) return;
  }
}

bool Session::misunderstood(std::string_view reply) {
  ++counts_[static_cast<size_t>(Verb::unknown)].total;
  refuse(reply);
  ++errors_;
  return true;
}

/// False when the session is over.
bool Session::execute(Dialogue::Command command) {
  const Settings& settings = server_.settings;
  if (!tls_refusal_.empty()) return refuse(tls_refusal_, ErrorClass::policy);
  if (command.bare_lf) {
    if (bare_lf_ == BareLf::note) saw_bare_lf_ = true;
    if (bare_lf_ == BareLf::reject) return refuse_bare_lf();
  }
  command_ = std::move(command.text);
  transcript_.in(without_secrets(command_));
  if (settings.smtputf8 && !is_valid_utf8(command_))
    return misunderstood("500 5.5.2 Error: bad UTF-8 syntax");
  if (!server_.lists.command_filter.empty() && !apply_command_filter(command_)) return local_data_error();
  smtp::CommandLine line = smtp::parse_command_line(command_);
  if (line.words.empty()) return misunderstood("500 5.5.2 Error: bad syntax");
  if (has_word(server_.lists.noop_commands, line.name(), service_deadline())) {
    reply("250 2.0.0 Ok");
    if (junk_++ > settings.junk_command_limit) ++errors_;
    return true;
  }
  Count& count = counts_[static_cast<size_t>(line.verb)];
  ++count.total;
  if (line.verb == Verb::unknown) where_ = "UNKNOWN";
  if (auto goes_on = execute_special(line.verb == Verb::unknown ? line.name() : std::string_view()))
    return *goes_on;
  if (!access_denied_.empty() && line.verb != Verb::quit) {
    reply(fmt::format("503 5.7.0 Error: access denied for {}", client_.label));
    ++errors_;
    return true;
  }
  if (line.verb == Verb::unknown) {
    constexpr std::string_view kUnknown = "500 5.5.2 Error: command not recognized";
    const std::string_view words[] = {command_};
    auto refusal = ask_milters(MilterEvent::unknown, milter::words_data(words), kUnknown);
    refusal ? refuse_for_milter(*refusal) : refuse(kUnknown);
    ++errors_;
    return true;
  }
  if (needs_tls_first(line.verb)) {
    refuse("530 5.7.0 Must issue a STARTTLS command first", ErrorClass::policy);
    ++errors_;
    return true;
  }
  where_ = smtp::info(line.verb).name;
  if (!stand_alone() && (protocol_ != "ESMTP" || smtp::info(line.verb).ends_group) &&
      client_talks_ahead(where_) && settings.forbid_unauth_pipelining) {
    return refuse("554 5.5.0 Error: SMTP protocol synchronization");
  }
  bool is_xclient = line.verb == Verb::xclient;
  if (!perform(line.verb, line.arguments())) {
    ++errors_;
  } else if (!is_xclient) {
    ++count.done;  // A client that becomes another one has not got further.
  }
  if (smtp::info(line.verb).junk && junk_++ > settings.junk_command_limit) ++errors_;
  return line.verb != Verb::quit;
}

/// Words that no mail client says: this is a browser, or a message for a program that speaks another
/// protocol.
std::optional<bool> Session::execute_special(std::string_view word) {
  if (word.empty()) return std::nullopt;
  size_t name = mail::header_name_length(word);
  bool is_header = name > 0 && name < word.size();
  if (!is_header && !has_word(server_.lists.forbidden_commands, word, service_deadline()))
    return std::nullopt;
  log::warning("non-SMTP command from {}: {}", client_.label,
               escaped(std::string_view(command_).substr(0, kShown)));
  reply("221 2.7.0 Error: I can break rules, too. Goodbye.");
  return false;
}

/// False when it does not answer.
bool Session::apply_command_filter(std::string& command) {
  std::string_view key =
      std::string_view(command).substr(std::min(command.find_first_not_of(" \t"), command.size()));
  auto found = server_.lists.command_filter.find(key, table::Where::all, service_deadline());
  if (!found) return false;
  if (!*found) return true;
  log::info("{}: replacing command \"{}\" with \"{}\"", client_.label, shown(command),
            shown((*found)->value));
  command = std::move((*found)->value);
  return true;
}

Session::Handler Session::handler(Verb verb) {
  switch (verb) {
    case Verb::helo:
      return &Session::helo;
    case Verb::ehlo:
      return &Session::ehlo;
    case Verb::xclient:
      return &Session::xclient;
    case Verb::xforward:
      return &Session::xforward;
    case Verb::starttls:
      return &Session::starttls;
    case Verb::auth:
      return &Session::auth;
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

std::string_view Session::end_reason() const {
  if (too_many_errors_) return "too many errors";
  switch (dialogue_.end()) {
    case Dialogue::End::lost:
      return "lost connection";
    case Dialogue::End::timeout:
      return "timeout";
    case Dialogue::End::none:
      break;
  }
  return {};
}

void Session::report_end() const {
  std::string_view reason = end_reason();
  if (reason.empty()) return;
  std::string bytes;
  if (in_content_ && mail_ && (where_ == "DATA" || where_ == "BDAT"))
    bytes = fmt::format(" ({} bytes)", content_size());
  log::info("{}: {} after {}{} from {}", queue_id_or_none(), reason, where_, bytes, client_.label);
}

std::string Session::count_text() const {
  std::string out;
  Count all;
  auto add = [&](std::string_view name, Count count) {
    out += fmt::format(" {}={}", name, count.done);
    if (count.done != count.total || count.total == 0) out += fmt::format("/{}", count.total);
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

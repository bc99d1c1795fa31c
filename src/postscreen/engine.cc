#include "postscreen/engine.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "log/log.h"
#include "mail/header.h"
#include "postscreen/path.h"

namespace postrider::postscreen {

using smtp::Verb;

namespace {

/// How much of a client's text log lines show.
constexpr size_t kShown = 100;
constexpr std::string_view kProtocolError = "521 5.5.1 Protocol error";
constexpr std::string_view kGoodbye = "521 5.7.0 Error: I can break rules, too. Goodbye.";
constexpr std::string_view kNotYet = "450 4.3.2 Service currently unavailable";
/// Tables are local; whoever waits for one holds only himself up.
constexpr seconds kTablePatience{10};

Deadline table_deadline() {
  return Deadline::after(kTablePatience);
}

}  // namespace

Engine::Engine(const Settings& settings, const Lists& lists, const Replies& replies, const TlsGateway& tls,
               const Settings::Patience* const& patience, const Peer& peer, io::Stream& stream,
               Progress& progress)
    : settings_(settings),
      lists_(lists),
      replies_(replies),
      tls_(tls),
      patience_(patience),
      peer_(peer),
      stream_(stream),
      progress_(progress),
      start_(Clock::now()),
      command_end_(Deadline::never()),
      discarded_(settings.discard_keywords) {
  // Who is refused anyway is watched in every way.
  for (Test test : kAllTests)
    watched_[static_cast<size_t>(test)] = progress.needs(test) || progress.refused() || progress.vetoed();
}

void Engine::run(bool greets) {
  if (greets) reply("220 " + settings_.banner);
  while (auto line = read_line()) {
    if (line->bare_lf && watches(Test::bare_newline) &&
        !fail(Test::bare_newline,
              fmt::format("BARE NEWLINE from {} after {}", peer_.label, shown(line->text)), kProtocolError))
      break;
    if (!execute(std::move(*line))) break;
  }
  if (!stream_.broken()) (void)stream_.flush(Deadline::after(patience_->command));
}

std::string Engine::shown(std::string_view text) const {
  text = text.substr(0, kShown);
  return settings_.smtputf8 ? printable(text) : printable_ascii(text);
}

/// "WHAT from CLIENT after COMMAND", and what the client has sent.
void Engine::note(std::string_view what, std::string_view more) const {
  log::info("{} from {} after {}{}", what, peer_.label, where_, more);
}

std::optional<Engine::Line> Engine::give_up_reading(const Error& error) {
  if (error.kind == ErrorKind::timeout) {
    note("COMMAND TIME LIMIT");
    end_with(fmt::format("421 4.4.2 {} Error: timeout exceeded", settings_.myhostname));
    return std::nullopt;
  }
  auto span = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start_);
  log::info("HANGUP after {} from {} in tests after SMTP handshake",
            delay_text(span.count(), settings_.delay_digits), peer_.label);
  return std::nullopt;
}

std::optional<Engine::Line> Engine::read_line() {
  command_end_ = Deadline::after(patience_->command);
  // What came before the greeting has been announced already. Most who talk to us are not in a hurry.
  if (stream_.buffered().empty() && !stream_.fill_available() && !stream_.at_end())
    (void)stream_.wait_input_parked(command_end_);
  auto line = stream_.read_line(settings_.line_length_limit, command_end_);
  if (!line) return give_up_reading(line.error());
  switch (line->end) {
    case io::LineEnd::eof:
      return give_up_reading(Error(ErrorKind::closed, ""));
    case io::LineEnd::partial:
      note("COMMAND LENGTH LIMIT");
      end_with(fmt::format("421 {} Service unavailable - try again later", settings_.myhostname));
      return std::nullopt;
    case io::LineEnd::crlf:
    case io::LineEnd::lf:
      break;
  }
  return Line{std::string(line->text), line->end == io::LineEnd::lf};
}

bool Engine::fail(Test test, std::string_view what, std::string_view drop_reply) {
  log::info("{}", what);
  Action action = settings_.action(test);
  progress_.fail(test, action, "550 5.5.1 Protocol error");
  return action != Action::drop || end_with(drop_reply);
}

bool Engine::execute(Line line) {
  std::string& text = line.text;
  // A text with a null byte ends there for tables.
  text.resize(std::min(text.find('\0'), text.size()));
  if (!lists_.command_filter.empty() && !filter(text)) return local_data_error();
  Command command;
  std::string_view rest = text;
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  command.word = rest.substr(0, rest.find(' '));
  command.rest = rest.substr(std::min(command.word.size() + 1, rest.size()));
  Verb verb = smtp::find_verb(command.word);
  if (verb != Verb::quit && ++commands_ > settings_.command_limit) {
    note("COMMAND COUNT LIMIT");
    return end_with(fmt::format("421 {} Service unavailable - try again later", settings_.myhostname));
  }
  if (auto goes_on = check_command(command)) return *goes_on;
  if (!check_pipelining(command.word)) return false;
  where_ = handler(verb) == &Engine::unknown ? "UNIMPLEMENTED" : smtp::info(verb).name;
  return perform(command, verb);
}

/// Whether a client goes on that has said what is no SMTP. Nothing: it has not.
std::optional<bool> Engine::check_command(const Command& command) {
  if (!watches(Test::non_smtp) || command.word.empty() || !is_forbidden(command.word)) return std::nullopt;
  if (!fail(Test::non_smtp,
            fmt::format("NON-SMTP COMMAND from {} after {}: {} {}", peer_.label, where_, shown(command.word),
                        shown(command.rest)),
            kGoodbye))
    return false;
  where_ = "UNIMPLEMENTED";
  return unknown(command);
}

bool Engine::is_forbidden(std::string_view word) const {
  size_t name = mail::header_name_length(word);
  if (name > 0 && name < word.size()) return true;
  // What is no UTF-8 is in no table, but patterns may be meant for it.
  const std::string harmless = is_valid_utf8(word) ? std::string() : printable(word);
  auto decision = lists_.forbidden_commands.match(harmless.empty() ? word : harmless, table_deadline());
  return decision && decision->matched;
}

bool Engine::check_pipelining(std::string_view word) {
  if (!watches(Test::pipelining)) return true;
  if (stream_.buffered().empty() && !stream_.fill_available()) return true;
  return fail(Test::pipelining,
              fmt::format("COMMAND PIPELINING from {} after {}: {}", peer_.label, shown(word),
                          escaped(stream_.buffered().substr(0, kShown))),
              kProtocolError);
}

/// False when it does not answer.
bool Engine::filter(std::string& command) {
  std::string_view key = command;
  key.remove_prefix(std::min(key.find_first_not_of(" \t"), key.size()));
  auto found = lists_.command_filter.find(key, table::Where::all, table_deadline());
  if (!found) return false;
  if (!*found) return true;
  log::info("{}: replacing command \"{}\" with \"{}\"", peer_.label, shown(command), shown((*found)->value));
  command = std::move((*found)->value);
  return true;
}

bool Engine::reply(std::string_view text) {
  stream_.write(replies_.text(text, peer_.address, table_deadline()));
  return true;
}

bool Engine::end_with(std::string_view text) {
  reply(text);
  return false;
}

bool Engine::local_data_error() {
  return end_with(fmt::format("421 4.3.0 {} Server local data error", settings_.myhostname));
}

std::string_view Engine::refusal() const {
  return progress_.refused() ? std::string_view(progress_.refusal()) : kNotYet;
}

std::string_view Engine::Command::argument() const {
  std::string_view text = rest;
  return next_token(text, " ").value_or(std::string_view());
}

Engine::Handler Engine::handler(Verb verb) {
  switch (verb) {
    case Verb::helo:
      return &Engine::helo;
    case Verb::ehlo:
      return &Engine::ehlo;
    case Verb::mail:
      return &Engine::mail;
    case Verb::rcpt:
      return &Engine::rcpt;
    case Verb::data:
      return &Engine::data;
    case Verb::bdat:
      return &Engine::bdat;
    case Verb::rset:
      return &Engine::rset;
    case Verb::noop:
      return &Engine::noop;
    case Verb::vrfy:
      return &Engine::vrfy;
    case Verb::etrn:
      return &Engine::etrn;
    case Verb::starttls:
      return &Engine::starttls;
    case Verb::quit:
      return &Engine::quit;
    default:
      return &Engine::unknown;
  }
}

bool Engine::perform(const Command& command, Verb verb) {
  if (needs_tls_first(verb)) return reply("530 5.7.0 Must issue a STARTTLS command first");
  return (this->*handler(verb))(command);
}

}  // namespace postrider::postscreen

#include "smtp/client.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtp/await_line.h"
#include "smtp/client_state.h"

namespace postrider::smtp {

namespace {

constexpr size_t kMaxTranscript = 500;
/// Of a line that the log has.
constexpr size_t kShownReply = 100;
constexpr std::string_view kGreeting = "receiving the initial server greeting";

/// A greeting of which a firewall has left only asterisks, and the digits that its own "220" needed.
bool hidden_by_pix(std::string_view greeting) {
  if (greeting == "220") return true;
  return greeting.starts_with("220 ") && greeting.find_first_not_of("20 *\t", 4) == std::string_view::npos;
}

}  // namespace

std::string Peer::name() const {
  return fmt::format("{}[{}]", host, address);
}

std::string Peer::name_with_port() const {
  return port == 0 ? name() : fmt::format("{}[{}]:{}", host, address, port);
}

std::unexpected<SessionFailure> ClientSession::State::fail(SessionFailure::Kind kind,
                                                           std::string_view doing) {
  if (!failure) {
    switch (kind) {
      case SessionFailure::Kind::lost:
        failure = {kind, "4.4.2", fmt::format("lost connection with {} while {}", peer.name(), doing)};
        break;
      case SessionFailure::Kind::timed_out:
        failure = {kind, "4.4.2", fmt::format("conversation with {} timed out while {}", peer.name(), doing)};
        break;
      case SessionFailure::Kind::local:
        failure = {kind, "4.3.0", fmt::format("local data error while talking to {}", peer.name())};
        break;
    }
  }
  return std::unexpected(*failure);
}

std::unexpected<SessionFailure> ClientSession::State::fail(const Error& error, std::string_view doing) {
  return fail(error.kind == ErrorKind::timeout ? SessionFailure::Kind::timed_out : SessionFailure::Kind::lost,
              doing);
}

void ClientSession::State::remember(std::string_view direction, std::string_view line) {
  if (!settings.keep_transcript || transcript.size() >= kMaxTranscript) return;
  transcript.push_back(std::string(direction) + std::string(line));
}

void ClientSession::State::log_line(std::string_view direction, std::string_view text) const {
  if (settings.log_dialogue) {
    log::info("{}{}: {}", direction, peer.name_with_port(), text);
  } else {
    log::debug("{}{}: {}", direction, peer.name_with_port(), text);
  }
}

void ClientSession::State::write_command(std::string_view text, std::string_view shown) {
  if (shown.empty()) shown = text;
  log_line("> ", shown);
  remember("Out: ", shown);
  // An address with a line end in it must not become two commands.
  std::string line(text);
  std::ranges::replace_if(line, [](char c) { return c == '\r' || c == '\n'; }, '?');
  stream.write(line);
  stream.write("\r\n");
}

Outcome<void> ClientSession::State::flush(Pace& pace, std::string_view doing) {
  if (failure) return std::unexpected(*failure);
  auto flushed = stream.flush(pace.deadline());
  if (!flushed) return fail(flushed.error(), doing);
  return {};
}

/// One line, printable and with its length limited. A server that goes on for long in a line is cut off:
/// nothing good is to be expected from it.
Outcome<std::string> ClientSession::State::read_line(Pace& pace, std::string_view doing) {
  if (failure) return std::unexpected(*failure);
  std::string text;
  size_t excess = 0;
  for (bool first = true;; first = false) {
    auto arrived = await_line(stream, settings.reply_limit, pace);
    if (!arrived) return fail(arrived.error(), doing);
    auto line = stream.read_line(settings.reply_limit, pace.deadline());
    if (!line) return fail(line.error(), doing);
    if (line->end == io::LineEnd::eof) return fail(SessionFailure::Kind::lost, doing);
    pace.transferred(line->text.size() + 2);
    std::string_view piece = line->text;
    if (line->end != io::LineEnd::partial) {
      while (piece.ends_with('\r'))
        piece.remove_suffix(1);
    }
    if (first) {
      text = settings.utf8 ? printable(piece) : printable_ascii(piece);
    } else {
      excess += piece.size();
    }
    if (line->end != io::LineEnd::partial) break;
    if (first) {
      log::warning("{}: response longer than {}: {}...", peer.name_with_port(), settings.reply_limit,
                   text.substr(0, 30));
    }
    if (excess > settings.reply_limit) {
      log::warning("{}: disabling input from {}", peer.name_with_port(), peer.name());
      return fail(SessionFailure::Kind::lost, doing);
    }
  }
  log_line("< ", std::string_view(text).substr(0, kShownReply));
  if (!settings.rewriter) return text;
  auto replacement = settings.rewriter->rewrite(text, pace.deadline());
  if (!replacement) {
    log::warning("{}: {}", peer.name_with_port(), replacement.error().text);
    return fail(SessionFailure::Kind::local, doing);
  }
  if (!*replacement) return text;
  log::info("{}: replacing server reply \"{}\" with \"{}\"", peer.name_with_port(), text, **replacement);
  return std::move(**replacement);
}

void ClientSession::State::note_garbage(std::string_view line) {
  protocol_error = saw_garbage = true;
  if (!capabilities.has(Keyword::pipelining)) return;
  log::warning("{}: non-{} response from {}: {}", queue_id, settings.lmtp ? "LMTP" : "ESMTP",
               peer.name_with_port(), line.substr(0, 100));
  if (!settings.helpful_warnings) return;
  log::warning(
      "to prevent loss of mail, turn off command pipelining for {} with the "
      "{}_keyword_address_maps parameter",
      peer.address, settings.lmtp ? "lmtp_discard_lhlo" : "smtp_discard_ehlo");
}

Outcome<Reply> ClientSession::State::read_reply(Pace& pace, std::string_view doing) {
  ReplyParser parser(settings.reply_limit);
  for (;;) {
    auto line = read_line(pace, doing);
    if (!line) return std::unexpected(std::move(line).error());
    ReplyParser::Step step = parser.add(*line);
    if (parser.overflowed()) {
      std::string start = printable(parser.text().substr(0, 30));
      log::warning("{}: multi-line response longer than {} {}...", peer.name_with_port(),
                   settings.reply_limit, start);
    } else {
      remember("In:  ", *line);
    }
    switch (step) {
      case ReplyParser::Step::complete:
        return parser.take();
      case ReplyParser::Step::more:
        break;
      case ReplyParser::Step::garbage:
        note_garbage(*line);
        break;
      case ReplyParser::Step::endless:
        log::warning("{}: disabling input from {}", peer.name_with_port(), peer.name());
        return fail(SessionFailure::Kind::lost, doing);
    }
  }
}

Outcome<Reply> ClientSession::State::exchange(std::string_view text, seconds timeout, std::string_view doing,
                                              std::string_view shown) {
  if (failure) return std::unexpected(*failure);
  Pace limit = pace(timeout);
  write_command(text, shown);
  return read_reply(limit, doing);
}

ClientSession::ClientSession(io::Stream stream, Peer peer, ClientSettings settings)
    : state_(std::make_unique<State>(std::move(stream), std::move(peer), std::move(settings))) {}
ClientSession::~ClientSession() = default;
ClientSession::ClientSession(ClientSession&&) noexcept = default;
ClientSession& ClientSession::operator=(ClientSession&&) noexcept = default;

Outcome<Reply> ClientSession::read_greeting() {
  State& s = *state_;
  Pace pace = s.pace(s.settings.helo_timeout);
  auto reply = s.read_reply(pace, kGreeting);
  if (!reply) return reply;
  if (reply->first_digit() == 5 && s.settings.skip_5xx_greeting) reply->dsn[0] = '4';
  if (!reply->positive()) return reply;

  s.pix = hidden_by_pix(reply->text);
  s.esmtp = s.settings.always_ehlo;
  std::string_view rest = reply->text;
  (void)next_token(rest, "- \t\n");
  bool first = true;
  while (auto word = next_token(rest, " \t\n")) {
    if (first && s.settings.detect_loops && equals_ignore_case(*word, s.settings.own_host_name)) {
      log::warning("host {} greeted me with my own hostname {}", s.peer.name_with_port(),
                   s.settings.own_host_name);
    } else if (equals_ignore_case(*word, "ESMTP")) {
      s.esmtp = true;
    }
    first = false;
  }
  if (s.settings.never_ehlo) s.esmtp = false;
  return reply;
}

void ClientSession::avoid_esmtp() {
  if (!state_->settings.lmtp) state_->esmtp = false;
}

Outcome<Reply> ClientSession::hello(KeywordSet discard) {
  State& s = *state_;
  s.capabilities = {};
  Outcome<Reply> reply{Reply()};
  if (s.settings.lmtp) {
    s.esmtp = true;
    reply =
        s.exchange("LHLO " + s.settings.helo_name, s.settings.helo_timeout, "performing the LHLO handshake");
  } else {
    if (s.esmtp) {
      reply = s.exchange("EHLO " + s.settings.helo_name, s.settings.helo_timeout,
                         "performing the EHLO handshake");
      if (!reply || reply->code == 421) return reply;
      s.esmtp = reply->positive();
    }
    if (!s.esmtp) {
      return s.exchange("HELO " + s.settings.helo_name, s.settings.helo_timeout,
                        "performing the HELO handshake");
    }
  }
  if (!reply || !reply->positive()) return reply;

  if (!discard.empty() && !discard.has(Keyword::silent_discard)) {
    log::info("discarding EHLO keywords: {}", keyword_text(discard));
  }
  s.capabilities = parse_ehlo(reply->text, discard);
  if (s.capabilities.bad_size) {
    log::warning("bad EHLO SIZE limit \"{}\" from {}", *s.capabilities.bad_size, s.peer.name_with_port());
  }
  if (s.settings.detect_loops && equals_ignore_case(s.capabilities.server_name, s.settings.own_host_name)) {
    log::warning("host {} replied to HELO/EHLO with my own hostname {}", s.peer.name_with_port(),
                 s.settings.own_host_name);
    s.myself = true;
  }
  return reply;
}

Outcome<Reply> ClientSession::start_tls() {
  State& s = *state_;
  auto reply = s.exchange("STARTTLS", s.settings.starttls_timeout, "receiving the STARTTLS response");
  // What else has arrived came in the clear, perhaps not from the server; it must not be read as part of what
  // TLS protects.
  while (reply && (!s.stream.buffered().empty() || s.stream.fill_available())) {
    s.stream.consume(s.stream.buffered().size());
  }
  return reply;
}

Outcome<Reply> ClientSession::command(std::string_view text, seconds timeout, std::string_view doing,
                                      std::string_view shown) {
  return state_->exchange(text, timeout, doing, shown);
}

Outcome<void> ClientSession::reset() {
  State& s = *state_;
  if (!s.transaction_open) return {};
  s.transaction_open = false;
  auto reply = s.exchange("RSET", s.settings.rset_timeout, "sending final RSET");
  if (!reply) return std::unexpected(std::move(reply).error());
  return {};
}

Outcome<void> ClientSession::quit(bool wait) {
  State& s = *state_;
  constexpr std::string_view kDoing = "sending QUIT";
  if (s.failure) return std::unexpected(*s.failure);
  Pace pace = s.pace(s.settings.quit_timeout);
  if (!s.quit_sent) s.write_command("QUIT");
  s.quit_sent = true;
  auto flushed = s.flush(pace, kDoing);
  if (!flushed || !wait) return flushed;
  auto reply = s.read_reply(pace, kDoing);
  if (!reply) return std::unexpected(std::move(reply).error());
  return {};
}

const Peer& ClientSession::peer() const {
  return state_->peer;
}
void ClientSession::set_host(std::string host) {
  state_->peer.host = std::move(host);
}
const Capabilities& ClientSession::capabilities() const {
  return state_->capabilities;
}
bool ClientSession::speaks_esmtp() const {
  return state_->esmtp;
}
bool ClientSession::behind_pix() const {
  return state_->pix;
}
bool ClientSession::is_myself() const {
  return state_->myself;
}
bool ClientSession::saw_garbage() const {
  return state_->saw_garbage;
}

bool ClientSession::protocol_error() const {
  return state_->protocol_error;
}
bool ClientSession::transaction_open() const {
  return state_->transaction_open;
}
const std::optional<SessionFailure>& ClientSession::failure() const {
  return state_->failure;
}
io::Stream& ClientSession::stream() {
  return state_->stream;
}
void ClientSession::set_queue_id(std::string id) {
  state_->queue_id = std::move(id);
}
const std::vector<std::string>& ClientSession::transcript() const {
  return state_->transcript;
}

}  // namespace postrider::smtp

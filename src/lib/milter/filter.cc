#include "milter/filter.h"

#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "milter/content.h"
#include "milter/negotiation.h"
#include "milter/reply_text.h"

namespace postrider::milter {

namespace {

constexpr std::string_view kTryLater = "451 4.7.1 Service unavailable - try again later";
constexpr std::string_view kClosing = "421 4.7.0 Server closing connection";
constexpr size_t kMaxReason = 100;
/// A goodbye shall not keep anybody waiting.
constexpr seconds kGoodbye{5};

bool begins_session(Event event) {
  return event == Event::connect || event == Event::helo;
}

std::string_view transport_of(std::string_view endpoint) {
  size_t colon = endpoint.find(':');
  return colon == std::string_view::npos ? std::string_view() : endpoint.substr(0, colon);
}

/// "Connection refused", whatever was tried.
std::string reason_of(const Error& error) {
  if (error.kind == ErrorKind::timeout) return std::strerror(ETIMEDOUT);
  if (error.kind == ErrorKind::closed) return "Application error";
  return error.code != 0 ? std::string(std::strerror(error.code)) : error.text;
}

Verdict rejection_with(std::string_view reply) {
  return {Verdict::Kind::reject, std::string(reply)};
}

}  // namespace

Filter::Filter(FilterSettings settings, const MacroLists& lists, const MacroDefaults& defaults)
    : settings_(std::move(settings)), lists_(&lists), defaults_(defaults) {}

Filter::Filter(Snapshot snapshot, std::unique_ptr<Channel> channel, const MacroDefaults& defaults)
    : defaults_(defaults), channel_(std::move(channel)), steps_(snapshot.steps) {
  settings_.endpoint = std::move(snapshot.endpoint);
  settings_.command_timeout = settings_.content_timeout = snapshot.content_timeout;
  settings_.default_action = std::move(snapshot.default_action);
  own_lists_[static_cast<size_t>(Stage::end_of_header)] = std::move(snapshot.end_of_header_macros);
  own_lists_[static_cast<size_t>(Stage::end_of_data)] = std::move(snapshot.end_of_data_macros);
  if (snapshot.state == Snapshot::State::passes) state_ = State::passes_message;
  if (snapshot.state == Snapshot::State::failed) settle(std::move(snapshot.failure));
}

Snapshot Filter::snapshot() const {
  Snapshot out;
  out.endpoint = settings_.endpoint;
  out.content_timeout = settings_.content_timeout;
  out.default_action = settings_.default_action;
  out.steps = steps_;
  out.end_of_header_macros = macro_names(Event::header);
  out.end_of_data_macros = macro_names(Event::body);
  if (state_ == State::settled) {
    out.state = Snapshot::State::failed;
    out.failure = standing_;
  } else if (state_ != State::asks || !channel_) {
    out.state = Snapshot::State::passes;
  }
  return out;
}

void Filter::warn(std::string_view text) const {
  log::warning("milter {}: {}", settings_.endpoint, printable(text));
}

Deadline Filter::deadline(Event event) const {
  bool content = event == Event::header || event == Event::end_of_header || event == Event::body ||
                 event == Event::end_of_message;
  return Deadline::after(content ? settings_.content_timeout : settings_.command_timeout);
}

// --- what a filter's failure comes to ---

Verdict Filter::default_verdict(bool configuration) {
  auto action = parse_default_action(settings_.default_action);
  if (!action) {
    warn(fmt::format("unrecognized default action: {}", settings_.default_action));
    configuration = true;
    action = DefaultAction::tempfail;
  }
  switch (*action) {
    case DefaultAction::accept:
      return {};
    case DefaultAction::reject:
      // A mistake in the configuration is no reason to return mail.
      if (!configuration) return rejection_with("550 5.5.0 Service unavailable");
      break;
    case DefaultAction::quarantine:
      return {Verdict::Kind::hold, "default_action"};
    case DefaultAction::shutdown:
      return rejection_with(configuration ? "421 4.3.5 Server configuration problem - try again later"
                                          : "421 4.7.1 Service unavailable - try again later");
    case DefaultAction::tempfail:
      break;
  }
  return rejection_with(configuration ? "451 4.3.5 Server configuration problem - try again later"
                                      : kTryLater);
}

void Filter::settle(Verdict verdict) {
  if (channel_) channel_->give_up();
  channel_.reset();
  state_ = State::settled;
  standing_ = std::move(verdict);
}

void Filter::lose_connection() {
  if (channel_) channel_ = std::make_unique<GoneChannel>();
}

Verdict Filter::give_up() {
  settle(default_verdict(false));
  return standing_;
}

Verdict Filter::misconfigured() {
  settle(default_verdict(true));
  return standing_;
}

Verdict Filter::receive_failed(Event event, const Error& error) {
  if (error.kind == ErrorKind::invalid) {
    warn(error.text);
  } else {
    warn(fmt::format("can't read {} reply packet header: {}", info(event).name, reason_of(error)));
  }
  return give_up();
}

std::optional<Verdict> Filter::standing() const {
  // Where another filter had something against the client, this one has not been connected to.
  if (state_ == State::asks && channel_) return std::nullopt;
  return state_ == State::settled ? standing_ : Verdict();
}

// --- the beginning ---

Verdict Filter::connect(std::string_view data, const MacroValues& macros) {
  auto protocol = parse_protocol(settings_.protocol);
  std::string_view transport = transport_of(settings_.endpoint);
  if (transport.empty()) {
    log::warning("Milter service needs transport:endpoint instead of \"{}\"", settings_.endpoint);
    return misconfigured();
  }
  if (transport != "inet" && transport != "unix" && transport != "local") {
    log::warning("invalid transport name: {} in Milter service: {}", transport, settings_.endpoint);
    return misconfigured();
  }
  if (!protocol) {
    warn(fmt::format("bad protocol information: {}", protocol.error().text));
    return misconfigured();
  }
  auto channel = open_channel(settings_.endpoint, Deadline::after(settings_.connect_timeout));
  if (!channel) {
    log::warning("connect to Milter service {}: {}", settings_.endpoint, reason_of(channel.error()));
    return give_up();
  }
  channel_ = std::move(*channel);
  Verdict agreed = negotiate(*protocol);
  return state_ == State::asks ? tell(Event::connect, data, macros) : agreed;
}

Verdict Filter::negotiate(const Protocol& protocol) {
  Deadline deadline = Deadline::after(settings_.connect_timeout);
  auto answer = [&]() -> Result<Packet> {
    TRY(channel_->send(offer_packet(protocol), deadline));
    return channel_->receive(deadline);
  }();
  if (!answer) {
    if (answer.error().kind == ErrorKind::invalid) {
      warn(answer.error().text);
    } else {
      warn(fmt::format("can't read SMFIC_OPTNEG reply packet header: {}", reason_of(answer.error())));
    }
    warn("read error in initial handshake");
    return give_up();
  }
  auto agreement = read_agreement(*answer, protocol);
  if (!agreement) {
    for (std::string_view line : split_each(agreement.error().text, '\n'))
      warn(line);
    return give_up();
  }
  for (const std::string& remark : agreement->remarks)
    warn(remark);
  version_ = agreement->version;
  steps_ = agreement->steps;
  own_lists_ = std::move(agreement->macros);
  return {};
}

// --- events ---

const std::vector<std::string>& Filter::macro_names(Event event) const {
  static const std::vector<std::string> kNone;
  auto stage = static_cast<size_t>(stage_of(event));
  if (own_lists_[stage]) return *own_lists_[stage];
  return lists_ ? (*lists_)[stage] : kNone;
}

void Filter::put_macros(Event event, const MacroValues& macros) {
  append_packet(output_, kMacros, macros_data(event, macro_names(event), macros, defaults_));
}

void Filter::put(Event event, std::string_view data) {
  append_packet(output_, info(event).letter, data);
}

Result<void> Filter::send(Event event) {
  std::string bytes = std::exchange(output_, {});
  return channel_->send(bytes, deadline(event));
}

Verdict Filter::command(Event event, std::string_view data, const MacroValues& macros,
                        std::string_view rejection) {
  if (auto settled = standing()) return std::move(*settled);
  if (!has(event)) return {};
  put_macros(event, macros);
  bool told = wants(event) && skipped_ != event;
  if (told) put(event, data);
  if (told && answers(event)) return ask(event, rejection, nullptr);
  Result<void> sent = send(event);
  if (sent) sent = channel_->flush(deadline(event));
  return sent ? Verdict() : receive_failed(event, sent.error());
}

Verdict Filter::tell(Event event, std::string_view data, const MacroValues& macros) {
  return command(event, data, macros);
}

bool Filter::wants_rejected_recipients() const {
  return state_ == State::asks && channel_ && (steps_ & kRejectedRecipients) != 0;
}

/// Sends what has been put together, and reads until the filter has said what it thinks.
Verdict Filter::ask(Event event, std::string_view rejection, Editor* editor) {
  if (auto sent = send(event); !sent) return receive_failed(event, sent.error());
  Verdict hold;
  edits_fail_ = false;
  for (;;) {
    auto packet = channel_->receive(deadline(event));
    if (!packet) return receive_failed(event, packet.error());
    auto verdict = judge(event, *packet, rejection, editor, hold);
    if (!verdict) continue;
    // Why the message is lost is the editor's to tell.
    if (edits_fail_) return Verdict{Verdict::Kind::reject, {}};
    return verdict->is_none() ? std::move(hold) : std::move(*verdict);
  }
}

/// What one packet comes to; nothing: more are to follow.
std::optional<Verdict> Filter::judge(Event event, const Packet& packet, std::string_view rejection,
                                     Editor* editor, Verdict& hold) {
  auto response = static_cast<Response>(packet.letter);
  auto bare = [&] {
    if (packet.data.empty()) return true;
    warn(fmt::format("reply {} was followed by {} data bytes", response_name(packet.letter),
                     packet.data.size()));
    return false;
  };
  switch (response) {
    case Response::continue_:
      return bare() ? Verdict() : give_up();
    case Response::accept:
      if (!bare()) return give_up();
      state_ = begins_session(event) ? State::passes_session : State::passes_message;
      if (begins_session(event)) channel_.reset();
      return Verdict();
    case Response::skip:
      if (!bare()) return give_up();
      skipped_ = event;
      return Verdict();
    case Response::progress:
      if (!bare()) return give_up();
      return std::nullopt;
    case Response::discard:
      if (!bare()) return give_up();
      if (begins_session(event)) {
        warn("DISCARD action is not allowed for connect or helo");
        return Verdict();
      }
      state_ = State::passes_message;
      return Verdict{Verdict::Kind::discard, {}};
    case Response::reject:
      return bare() ? refuse(event, rejection) : give_up();
    case Response::tempfail:
      return bare() ? refuse(event, kTryLater) : give_up();
    case Response::shutdown:
      if (!bare()) return give_up();
      settle(rejection_with(kClosing));
      return standing_;
    case Response::reply_code: {
      auto text = DataReader(packet.data).text();
      auto reply = text ? parse_reply(*text) : Result<std::string>(std::unexpected(text.error()));
      if (reply) return refuse(event, *reply);
      warn(text ? fmt::format("malformed reply: {}", reply.error().text) : text.error().text);
      return misconfigured();
    }
    case Response::quarantine: {
      auto text = DataReader(packet.data).text();
      hold = {Verdict::Kind::hold, printable(text ? text->substr(0, kMaxReason) : std::string_view())};
      return std::nullopt;
    }
    default:
      break;
  }
  if (editor != nullptr && response != Response::connection_fail &&
      response_name(packet.letter).front() == 'S') {
    return edit(packet, *editor);
  }
  warn(fmt::format("unexpected filter response {} after event {}", response_name(packet.letter),
                   info(event).name));
  return give_up();
}

std::optional<Verdict> Filter::refuse(Event event, std::string_view reply) {
  Verdict out = rejection_with(reply);
  if (begins_session(event)) settle(out);
  return out;
}

/// Carries out a modification.
std::optional<Verdict> Filter::edit(const Packet& packet, Editor& editor) {
  DataReader data(packet.data);
  const char* separator = (steps_ & kLeadingSpace) != 0 ? ":" : ": ";
  auto header_text = [&](std::string_view name, std::string_view value) {
    return fmt::format("{}{}{}", name, separator, value);
  };
  auto optional_text = [&]() -> Result<std::string_view> {
    return data.empty() ? Result<std::string_view>(std::string_view()) : data.text();
  };
  if (edits_fail_) return std::nullopt;
  auto goes = [&]() -> Result<bool> {
    switch (static_cast<Response>(packet.letter)) {
      case Response::add_header: {
        auto name = TRY(data.text());
        return editor.add_header(header_text(name, TRY(data.text())));
      }
      case Response::insert_header: {
        uint32_t index = TRY(data.u32());
        auto name = TRY(data.text());
        return editor.insert_header(index, header_text(name, TRY(data.text())));
      }
      case Response::change_header: {
        uint32_t index = TRY(data.u32());
        auto name = TRY(data.text());
        auto value = TRY(data.text());
        return editor.change_header(index, name, value.empty() ? std::string() : header_text(name, value));
      }
      case Response::add_recipient:
        return editor.add_recipient(TRY(data.text()), {});
      case Response::add_recipient_with_parameters: {
        auto address = TRY(data.text());
        return editor.add_recipient(address, TRY(optional_text()));
      }
      case Response::delete_recipient:
        return editor.delete_recipient(TRY(data.text()));
      case Response::change_sender: {
        auto address = TRY(data.text());
        return editor.change_sender(address, TRY(optional_text()));
      }
      default:
        return editor.replace_body(packet.data);
    }
  }();
  if (!goes) {
    warn(goes.error().text);
    return give_up();
  }
  // What the filter still wants is read, so that what it says next is not taken for it, and not done.
  edits_fail_ = edits_fail_ || !*goes;
  return std::nullopt;
}

// --- the message ---

Verdict Filter::message(Content& content, Editor& editor, const MacroValues& macros) {
  if (auto settled = standing()) return std::move(*settled);
  auto event = [&](Event what, std::string_view data) {
    if (!wants(what) || skipped_ == what) return Verdict();
    put_macros(what, macros);
    put(what, data);
    if (answers(what)) return ask(what, kRejected, nullptr);
    auto sent = send(what);
    return sent ? Verdict() : receive_failed(what, sent.error());
  };
  // Where the rest does not matter any more.
  auto over = [&](const Verdict& verdict) { return !verdict.is_none() || state_ != State::asks; };
  for (std::string_view header : content.headers()) {
    Verdict verdict = event(Event::header, header_data(header, (steps_ & kLeadingSpace) != 0));
    if (over(verdict)) return verdict;
  }
  Verdict verdict = event(Event::end_of_header, {});
  if (over(verdict)) return verdict;
  content.rewind_body();
  while (wants(Event::body) && skipped_ != Event::body) {
    auto piece = content.body_piece();
    if (!piece) return give_up();
    if (piece->empty()) break;
    verdict = event(Event::body, *piece);
    if (over(verdict)) return verdict;
  }
  put_macros(Event::end_of_message, macros);
  put(Event::end_of_message, {});
  verdict = ask(Event::end_of_message, kRejected, &editor);
  editor.end_of_edits();
  return verdict;
}

void Filter::abort() {
  skipped_.reset();
  if (state_ == State::settled || state_ == State::passes_session || !channel_) return;
  state_ = State::asks;
  append_packet(output_, kAbort, {});
  Result<void> sent = send(Event::data);
  if (sent) sent = channel_->flush(deadline(Event::data));
  // The next event will find that the connection is gone, and say so.
}

void Filter::quit() {
  if (!channel_) return;
  Deadline deadline = Deadline::after(kGoodbye);
  append_packet(output_, kQuit, {});
  if (channel_->send(std::exchange(output_, {}), deadline)) (void)channel_->flush(deadline);
  channel_.reset();
}

}  // namespace postrider::milter

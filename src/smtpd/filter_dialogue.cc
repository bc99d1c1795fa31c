#include "smtpd/filter_dialogue.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "log/log.h"
#include "net/endpoint.h"

namespace postrider::smtpd {

namespace {

constexpr std::string_view kNoFilter = "451 4.3.0 Error: queue file write error";
constexpr std::string_view kUnknown = "[UNAVAILABLE]";
constexpr size_t kMaxCommand = 512;
/// A filter that has hung must not hold up who has heard its answer.
constexpr seconds kQuitTimeout{1};

smtp::ClientSettings client_settings(const FilterSettings& settings) {
  smtp::ClientSettings out;
  out.helo_name = settings.helo_name;
  out.detect_loops = false;  // The filter may well give this system's name.
  out.reply_limit = settings.line_length_limit;
  out.helo_timeout = settings.timeout;
  out.quit_timeout = std::min(settings.timeout, kQuitTimeout);
  return out;
}

}  // namespace

FilterRefusal filter_failed(access::ErrorClass error) {
  return {std::string(kNoFilter), error};
}

std::string filter_reply_text(std::string_view reply) {
  return replace_all(reply, "\n", "??");
}

std::vector<std::string> filter_xforward(const smtp::ClientFacts& client, const smtp::Capabilities& filter) {
  using enum smtp::XforwardAttribute;
  std::vector<std::string> out;
  std::string command;
  for (smtp::XforwardAttribute attribute : {name, address, port, helo, ident, protocol, source}) {
    if (!filter.takes(attribute)) continue;
    std::string_view value = client[static_cast<size_t>(attribute)];
    bool known = !value.empty() && !equals_ignore_case(value, "unknown");
    std::string word =
        fmt::format(" {}={}", smtp::xforward_name(attribute), known ? xtext_encode(value) : kUnknown);
    if (!command.empty() && command.size() + word.size() > kMaxCommand)
      out.push_back(std::exchange(command, {}));
    if (command.empty()) command = "XFORWARD";
    command += word;
  }
  if (!command.empty()) out.push_back(std::move(command));
  return out;
}

std::expected<FilterDialogue, FilterRefusal> FilterDialogue::open(const FilterSettings& settings,
                                                                  const smtp::ClientFacts& client) {
  auto stream = net::connect(settings.endpoint, "inet", Deadline::after(settings.timeout));
  if (!stream) {
    log::warning("connect to proxy filter {}: {}", settings.endpoint, net::reason_of(stream.error()));
    return std::unexpected(filter_failed(access::ErrorClass::software));
  }
  smtp::Peer peer{.host = settings.endpoint, .address = settings.endpoint};
  FilterDialogue dialogue(
      settings, smtp::ClientSession(std::move(*stream), std::move(peer), client_settings(settings)));
  if (auto refusal = dialogue.introduce(client)) {
    // What a filter says before it has heard of a message is not for the client.
    return std::unexpected(refusal->error ? std::move(*refusal) : FilterRefusal{std::string(kNoFilter), {}});
  }
  return dialogue;
}

std::optional<FilterRefusal> FilterDialogue::introduce(const smtp::ClientFacts& client) {
  auto greeting = session_->read_greeting();
  if (!greeting) return lost(greeting.error().kind);
  if (!greeting->positive()) return refused("connection request", *greeting);
  std::string hello = "EHLO " + settings_->helo_name;
  auto offer = session_->command(hello, settings_->timeout, "EHLO");
  if (!offer) return lost(offer.error().kind);
  if (!offer->positive()) return refused(hello, *offer);
  for (const std::string& text : filter_xforward(client, smtp::parse_ehlo(offer->text, {}))) {
    if (auto refusal = command(text, 2)) return refusal;
  }
  return std::nullopt;
}

FilterDialogue::~FilterDialogue() {
  if (session_ && !in_content_ && !broken_) (void)session_->quit(false);
}

FilterRefusal FilterDialogue::lost(smtp::SessionFailure::Kind kind) const {
  if (!broken_) {
    log::warning(
        "{} proxy {}",
        kind == smtp::SessionFailure::Kind::timed_out ? "timeout talking to" : "lost connection with",
        settings_->endpoint);
  }
  return filter_failed(access::ErrorClass::software);
}

FilterRefusal FilterDialogue::refused(std::string_view command, const smtp::Reply& reply) const {
  log::warning("proxy {} rejected \"{}\": \"{}\"", settings_->endpoint, printable(command),
               filter_reply_text(reply.text));
  return {reply.text, {}};
}

std::optional<FilterRefusal> FilterDialogue::command(std::string_view text, int wanted) {
  auto reply = session_->command(text, settings_->timeout, text);
  if (!reply) {
    FilterRefusal out = lost(reply.error().kind);
    broken_ = true;
    return out;
  }
  if (reply->first_digit() != wanted) return refused(text, *reply);
  in_content_ = wanted == 3;
  return std::nullopt;
}

void FilterDialogue::content(std::string_view bytes) {
  if (broken_) return;
  auto written = session_->stream().write_through(bytes, Deadline::after(settings_->timeout));
  if (written) return;
  bool late = written.error().kind == ErrorKind::timeout;
  (void)lost(late ? smtp::SessionFailure::Kind::timed_out : smtp::SessionFailure::Kind::lost);
  broken_ = true;
}

FilterRefusal FilterDialogue::end() {
  if (broken_) return filter_failed(access::ErrorClass::software);
  auto reply = session_->command(".", settings_->timeout, "end of content");
  in_content_ = false;
  if (reply) return {std::move(reply->text), {}};
  FilterRefusal out = lost(reply.error().kind);
  broken_ = true;
  return out;
}

}  // namespace postrider::smtpd

#include "smtp/outgoing.h"

#include <fmt/format.h>

#include "log/log.h"

namespace postrider::smtp_client {

namespace {

/// For the look-ups of one line.
Deadline lookup_deadline() {
  return Deadline::after(seconds(100));
}

/// How much of a line a log line shows.
constexpr size_t kShown = 60;

mail::MimeOptions complete(mail::MimeOptions options, const Outgoing::Work& work) {
  options.parse_mime = work.downgrade || work.checks != nullptr;
  options.downgrade = options.report_nesting = work.downgrade;
  return options;
}

}  // namespace

Outgoing::Outgoing(smtp::ClientSession& session, std::string_view queue_id, Work work, mail::MimeOptions mime)
    : session_(session), queue_id_(queue_id), work_(work), parser_(complete(mime, work), *this) {}

bool Outgoing::line(std::string_view text, bool ends_line) {
  if (!trouble_) parser_.line(text, ends_line ? mail::LineEnd::here : mail::LineEnd::later);
  return !trouble_;
}

bool Outgoing::finish() {
  if (!trouble_) parser_.finish();
  return !trouble_;
}

void Outgoing::table_failed(std::string_view text) {
  log::warning("{}: {}", queue_id_, text);
  trouble_ = {ContentTrouble::Kind::data, std::nullopt, std::nullopt};
}

void Outgoing::problem(mail::MimeProblem problem, std::string_view) {
  if (!trouble_) trouble_ = {ContentTrouble::Kind::message, std::nullopt, problem};
}

void Outgoing::report(const checks::Action& action, checks::Place place, std::string_view text) const {
  std::string_view shown = text.substr(0, kShown);
  if (action.text.empty()) {
    log::info("{}: {}: {} {}", queue_id_, action.log_word(), checks::to_text(place), shown);
  } else {
    log::info("{}: {}: {} {}: {}", queue_id_, action.log_word(), checks::to_text(place), shown, action.text);
  }
}

std::optional<std::string_view> Outgoing::apply(checks::Place place, const Result<checks::Action>& action,
                                                std::string_view text) {
  if (!action) {
    table_failed(fmt::format("smtp {} checks lookup error", checks::to_text(place)));
    return std::nullopt;
  }
  switch (action->verb) {
    case checks::Verb::ignore:
      return std::nullopt;
    case checks::Verb::strip:
      report(*action, place, text);
      return std::nullopt;
    case checks::Verb::info:
    case checks::Verb::warn:
      report(*action, place, text);
      return text;
    case checks::Verb::prepend:
      report(*action, place, text);
      write_lines(action->text);
      return text;
    case checks::Verb::replace:
      report(*action, place, text);
      replacement_ = action->text;
      return replacement_;
    default:
      return text;
  }
}

void Outgoing::header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) {
  if (trouble_) return;
  std::optional<std::string_view> left = text;
  if (work_.checks != nullptr) {
    auto action = work_.checks->header(where, known, text, lookup_deadline());
    left = apply(checks::Place::header, action, text);
  }
  if (!left || trouble_) return;
  bool has_addresses = known != nullptr && where == mail::HeaderClass::primary && known->has_addresses();
  if (work_.generic == nullptr || !has_addresses) return write_lines(*left);
  auto mapped = work_.generic->map_header(*left, lookup_deadline());
  if (!mapped) return table_failed(mapped.error().text);
  write_lines(*mapped);
}

void Outgoing::body(std::string_view text, mail::LineEnd end, size_t offset) {
  if (trouble_) return;
  std::optional<std::string_view> left = text;
  if (work_.checks != nullptr) {
    auto action = work_.checks->body(text, offset, lookup_deadline());
    left = apply(checks::Place::body, action, text);
  }
  if (left && !trouble_) write(*left, end == mail::LineEnd::here);
}

void Outgoing::write_lines(std::string_view text) {
  for (;;) {
    size_t newline = text.find('\n');
    write(text.substr(0, newline), true);
    if (newline == std::string_view::npos) return;
    text.remove_prefix(newline + 1);
  }
}

void Outgoing::write(std::string_view text, bool ends_line) {
  if (trouble_) return;
  auto sent = session_.send_content(text, ends_line);
  if (!sent) trouble_ = {ContentTrouble::Kind::session, std::move(sent).error(), std::nullopt};
}

}  // namespace postrider::smtp_client

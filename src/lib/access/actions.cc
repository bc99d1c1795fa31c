// What access tables answer (access(5)).
#include <array>

#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "mail/header.h"

namespace postrider::access {

namespace {

constexpr size_t kMaxNesting = 101;
/// A message gets no more headers and copies than this from access tables.
constexpr size_t kMaxAdditions = 100;

struct Words {
  std::string_view action, text;
};

Words split(std::string_view value) {
  size_t end = std::min(value.find_first_of(" \t"), value.size());
  return {value.substr(0, end), trim_left(value.substr(end))};
}

bool is_reply_code(std::string_view word) {
  return word.size() == 3 && (word[0] == '4' || word[0] == '5') && is_all_digits(word);
}

/// "5.7.1 text" with the defaults for what is missing.
struct StatusAndText {
  std::string status;
  std::string text;
};
StatusAndText read_status(mail::StatusCode status, std::string_view text, std::string_view about,
                          std::string_view default_text) {
  mail::StatusText parts = mail::split_status_text(status, text);
  return {fitting_status(parts.code.text(), about),
          std::string(parts.text.empty() ? default_text : parts.text)};
}

constexpr std::array<std::string_view, 5> kMessageActions{"FILTER", "HOLD", "DISCARD", "REDIRECT", "BCC"};

/// The action in capital letters, when it is about the message; else empty.
std::string_view message_action(std::string_view word) {
  for (std::string_view known : kMessageActions) {
    if (equals_ignore_case(known, word)) return known;
  }
  return {};
}

}  // namespace

Judge::Verdict Judge::act(const Restriction& r, const Hit& hit, const Target& target,
                          std::string cannot_permit) {
  const Settings::Codes& code = policy_.settings.code;
  table_ = r.argument;
  key_ = hit.key;
  auto [word, text] = split(hit.value);
  auto is = [&](std::string_view action) { return equals_ignore_case(word, action); };
  auto refuse_with = [&](int reply_code, mail::StatusCode status) {
    StatusAndText parts = read_status(status, text, target.about, "Access denied");
    return refuse(reply_code, parts.status,
                  fmt::format("<{}>: {} rejected: {}", target.name, target.about, parts.text));
  };
  if (is("DUNNO")) return Verdict::undecided;
  if (is("REJECT")) return refuse_with(code.access_reject, "5.7.1");
  if (is("DEFER")) return refuse_with(code.access_defer, "4.7.1");
  if (is("HANGUP")) {
    event("hangup", text);
    memory_.hang_up = true;
    refusal_ = Refusal{"", ErrorClass::policy, because()};
    return Verdict::reject;
  }
  if (is("WARN") || is("INFO")) {
    event(is("WARN") ? "warn" : "info", text);
    return Verdict::undecided;
  }
  if (std::string_view action = message_action(word); !action.empty()) {
    return act_on_message(action, text, r, hit, target);
  }
  if (is("DEFER_IF_PERMIT") || is("DEFER_IF_REJECT")) {
    StatusAndText parts = read_status("4.7.1", text, target.about, "Service unavailable");
    std::string why = fmt::format("<{}>: {} rejected: {}", target.name, target.about, parts.text);
    if (is("DEFER_IF_REJECT")) return defer_if_reject(code.access_defer, parts.status, std::move(why));
    return defer_if_permit(TempFail::defer_if_permit, code.access_defer, parts.status, std::move(why));
  }
  if (is("PREPEND")) {
    if (!can_act_on_message("PREPEND", r, target)) return Verdict::undecided;
    if (facts_.where == "END-OF-MESSAGE") {
      log::warning("access table {}: action PREPEND must be used before smtpd_end_of_data_restrictions",
                   r.argument);
    } else if (mail::header_name_length(text) == 0) {
      log::warning("access table {} entry \"{}\" requires header: text", r.argument, printable(hit.key));
    } else if (memory_.effects.prepend.size() < kMaxAdditions) {
      memory_.effects.prepend.emplace_back(text);
    }
    return Verdict::undecided;
  }
  if (is_reply_code(word) && !text.empty()) {
    return refuse_with(static_cast<int>(*parse_int(word)),
                       word[0] == '4' ? mail::StatusCode("4.7.1") : mail::StatusCode("5.7.1"));
  }
  // A number alone is a time stamp: some programs leave them to let clients in.
  if (is("OK") || is("RELAY") || is_all_digits(hit.value)) {
    if (cannot_permit.empty()) return permit(word, target, r.argument);
    return permit_does_not_count(cannot_permit);
  }
  return nested_list(r, hit, target, std::move(cannot_permit));
}

bool Judge::can_act_on_message(std::string_view action, const Restriction& r, const Target& target) const {
  if (target.about == about::kEtrn) {
    log::warning("access table {}: action {} is unavailable in smtpd_etrn_restrictions", r.argument, action);
    return false;
  }
  // Before MAIL there is no message, and what is decided then would count for all messages of the session.
  if (!facts_.sender) {
    log::warning(
        "access table {}: with smtpd_delay_reject=no, action {} is always skipped in {} or {} restrictions",
        r.argument, action, about::kClient, about::kHelo);
    return false;
  }
  return true;
}

Judge::Verdict Judge::act_on_message(std::string_view action, std::string_view text, const Restriction& r,
                                     const Hit& hit, const Target& target) {
  if (policy_.settings.filtered) {
    log::warning("access table {}: with smtpd_proxy_filter specified, action {} is unavailable", r.argument,
                 action);
    return Verdict::undecided;
  }
  if (!can_act_on_message(action, r, target)) return Verdict::undecided;
  Effects& effects = memory_.effects;
  auto report = [&](std::string_view what) {
    event(lowercase(action), fmt::format("<{}>: {} {}", target.name, target.about, what));
  };
  auto complain = [&](std::string_view what) {
    log::warning("access table {} entry \"{}\" {}", r.argument, printable(hit.key), what);
    return Verdict::undecided;
  };
  if (action == "HOLD" && effects.hold) return Verdict::undecided;
  if (action == "HOLD" || action == "DISCARD") {
    report(text.empty() ? fmt::format("triggers {} action", action) : std::string(text));
    (action == "HOLD" ? effects.hold : effects.discard) = true;
    return action == "HOLD" ? Verdict::undecided : permit(action, target, r.argument);
  }
  if (action == "FILTER") {
    if (text.empty()) return complain("has FILTER entry without value");
    if (text.find(':') == std::string_view::npos) return complain("requires transport:destination");
    effects.filter = text;
  } else {
    if (text.find('@') == std::string_view::npos) return complain("requires user@domain target");
    if (action == "REDIRECT") {
      effects.redirect = text;
    } else if (effects.bcc.size() < kMaxAdditions) {
      effects.bcc.emplace_back(text);
    }
  }
  report(fmt::format("triggers {} {}", action, text));
  return Verdict::undecided;
}

/// The value is a list of restrictions.
Judge::Verdict Judge::nested_list(const Restriction& r, const Hit& hit, const Target& target,
                                  std::string cannot_permit) {
  if (hit.value.find(':') != std::string::npos) {
    log::warning("access table {} has entry with lookup table: {}", r.argument, printable(hit.value));
    log::warning("do not specify lookup tables inside SMTPD access maps");
    log::warning("define a restriction class and specify its name instead.");
    return configuration_error();
  }
  if (levels_.size() >= kMaxNesting) {
    log::warning("access table {} entry {} causes unreasonable recursion", r.argument, printable(hit.value));
    return configuration_error();
  }
  auto list = std::make_unique<RestrictionList>(policy_.reader.read_text(hit.value));
  if (list->items.empty()) {
    log::warning("access table {} entry {} has empty value", r.argument, printable(hit.value));
    return cannot_permit.empty() ? Verdict::permit : permit_does_not_count(cannot_permit);
  }
  list->parameter = r.argument;
  const RestrictionList& members = *list;
  enter(members, std::move(list), target);
  levels_.back().cannot_permit = std::move(cannot_permit);
  return Verdict::nested;
}

}  // namespace postrider::access

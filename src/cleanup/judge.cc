#include "cleanup/judge.h"

#include <fmt/format.h>

#include "log/log.h"

namespace postrider::cleanup {

using checks::Action;
using checks::Verb;

namespace {
/// How much of a line a log line shows.
constexpr size_t kLoggedText = 200;
}  // namespace

Judge::Verdict Judge::header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) {
  return carry_out(checks_.header(where, known, text, state_.service_deadline()), checks::Place::header,
                   text);
}

Judge::Verdict Judge::body(std::string_view text, size_t offset) {
  return carry_out(checks_.body(text, offset, state_.service_deadline()), checks::Place::body, text);
}

void Judge::log(std::string_view action, std::string_view what, std::string_view text,
                std::string_view why) const {
  std::string line = fmt::format("{}: {}{}: {} {} from {};{}", state_.id(), prefix_, action, what,
                                 text.substr(0, std::min(kLoggedText, text.find('\0'))), state_.origin,
                                 state_.addresses_for_log());
  if (!state_.protocol.empty()) line += fmt::format(" proto={}", state_.protocol);
  if (!state_.helo.empty()) line += fmt::format(" helo=<{}>", state_.helo);
  if (!why.empty() || !prefix_.empty()) line += fmt::format(": {}", why);
  log::write(log::Severity::info, line);
}

Judge::Verdict Judge::carry_out(Result<Action> found, checks::Place place, std::string_view text) {
  if (!found) {
    log::warning("{}: {} -- message not accepted, try again later", state_.id(), found.error().text);
    state_.fail(proto::kProblemWrite);
    return {};
  }
  Action action = std::move(*found);
  auto note = [&] { log(action.log_word(), to_text(place), text, action.text); };
  switch (action.verb) {
    case Verb::dunno:
      return {};
    case Verb::ignore:
      return {.drop = true};
    case Verb::strip:
      note();
      return {.drop = true};
    case Verb::info:
    case Verb::warn:
      note();
      return {};
    case Verb::prepend:
      note();
      if (!prefix_.empty()) {
        log::warning("the milter_header/body_checks prepend action is not implemented");
        return {};
      }
      return {.before = std::move(action.text)};
    case Verb::replace:
      note();
      return {.instead = std::move(action.text)};
    case Verb::reject:
      state_.fail(action.text.front() == '4' ? proto::kProblemDefer : proto::kProblemContent, action.text);
      note();
      end_judgement();
      return {};
    case Verb::discard:
      note();
      state_.flags |= proto::kCleanupDiscard;
      end_judgement();
      return {};
    case Verb::hold:
      if (state_.has(proto::kCleanupHold | proto::kCleanupDiscard)) return {};
      note();
      state_.flags |= proto::kCleanupHold;
      return {};
    case Verb::pass:
      if (!prefix_.empty()) {
        log::warning("unsupported command in milter_header_checks map: PASS");
        return {};
      }
      note();
      end_judgement();
      return {};
    case Verb::filter:
      state_.filter = action.text;
      note();
      return {};
    case Verb::redirect:
      state_.redirect = action.text;
      note();
      end_judgement();
      return {};
    case Verb::bcc:
      state_.bcc.push_back(action.text);
      note();
      return {};
  }
  return {};
}

}  // namespace postrider::cleanup

// Carrying out what header_checks and body_checks say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checks/checks.h"
#include "cleanup/message_state.h"
#include "mail/mime.h"

namespace postrider::cleanup {

class Judge {
 public:
  /// `prefix` stands before actions in log lines; with it, only what can be done with headers of mail filters
  /// is done.
  Judge(MessageState& state, const checks::Checks& checks, std::string_view prefix = {})
      : state_(state), checks_(checks), prefix_(prefix) {}

  /// What becomes of a line.
  struct Verdict {
    bool drop = false;
    std::optional<std::string> before;   ///< A line to write first.
    std::optional<std::string> instead;  ///< Replaces the line.
  };
  /// Whether there is anything to judge by, now.
  bool active() const { return state_.has(proto::kCleanupFilter) && !checks_.empty(); }
  bool has_checks() const { return !checks_.empty(); }
  Verdict header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text);
  Verdict body(std::string_view text, size_t offset);

  /// "ID: reject: content ... from ...; from=<> ...: why"; `what` is "header", "body" or "content".
  void log(std::string_view action, std::string_view what, std::string_view text, std::string_view why) const;

 private:
  Verdict carry_out(Result<checks::Action> action, checks::Place place, std::string_view text);
  void end_judgement() { state_.flags &= ~uint32_t{proto::kCleanupFilter}; }

  MessageState& state_;
  const checks::Checks& checks_;
  std::string_view prefix_;
};

}  // namespace postrider::cleanup

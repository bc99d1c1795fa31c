// What postdrop tells the program that started it, on its standard output.
//
// Two lists of name\0value\0 pairs, each ended by an empty name: the first when the file has been created,
// the second when the message is complete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "proto/cleanup.h"

namespace postrider::maildrop {

/// The caller may not submit mail at all: the reason stands for itself. Beside proto::CleanupProblem.
inline constexpr uint32_t kProblemNotPermitted = 1 << 9;

/// What became of a submission.
struct Outcome {
  uint32_t problems = 0;  ///< proto::CleanupProblem; 0: the message is in the queue.
  std::string reason;     ///< May be empty.

  static Outcome of(const Error& error);
  /// The reason, or a text for the problem.
  std::string text() const;
};

/// The file has been created.
std::string greeting(std::string_view queue_id);
/// The message is complete, or never will be.
std::string reply(const Outcome& outcome);

/// The queue id, once the whole greeting is there; nothing before, and for a refusal.
std::optional<std::string> parse_greeting(std::string_view text);
/// From everything that postdrop said until it closed its output. What is incomplete or malformed is a
/// problem.
Outcome parse_reply(std::string_view text);

}  // namespace postrider::maildrop

// How far a client is with its tests, and what it has against it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "postscreen/record.h"
#include "postscreen/settings.h"

namespace postrider::postscreen {

class Progress {
 public:
  /// `known` is what the cache has of the client. `now`: seconds since 1970.
  Progress(const Settings& settings, const std::optional<Record>& known, int64_t now);

  /// Whether the client has not passed the test yet.
  bool needs(Test test) const { return needed_[static_cast<size_t>(test)]; }
  bool needs_any() const;
  /// Whether it needs a test that comes after the greeting.
  bool needs_deep_tests() const;
  /// The client was never seen to pass all tests.
  bool is_new() const { return is_new_; }

  /// The client need not take the test again before `until`.
  void pass(Test test, int64_t until);
  /// What is left of the tests behind the greeting has been passed, at `now`.
  void pass_deep_tests(int64_t now);
  /// All tests count as passed, also those that are disabled, and not for less than that.
  void pass_all(int64_t until);

  /// The client has failed a test. Unless that is ignored, its mail is refused with `reply`.
  void fail(Test test, Action action, std::string reply);
  bool failed(Test test) const { return failed_[static_cast<size_t>(test)]; }
  bool failed_any() const;
  /// Its mail is refused, though it may pass all tests. The last reply counts.
  void refuse(std::string reply) { refusal_ = std::move(reply); }
  bool refused() const { return !refusal_.empty(); }
  const std::string& refusal() const { return refusal_; }
  /// It has connected where nobody earns anything.
  void veto() { vetoed_ = true; }
  bool vetoed() const { return vetoed_; }

  bool passed_all() const { return !refused() && !vetoed_ && !needs_any(); }
  /// What the cache should know; nothing when there is no news, or none that count.
  std::optional<Record> news() const;

 private:
  const Settings& settings_;
  Record record_;
  std::array<bool, kTests> needed_{}, failed_{};
  std::string refusal_;
  bool is_new_ = false, vetoed_ = false, changed_ = false;
};

}  // namespace postrider::postscreen

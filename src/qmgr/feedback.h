// How many deliveries at a time a destination gets: concurrency feedback (SCHEDULER_README describes the
// idea).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::qmgr {

/// How strongly one delivery moves the concurrency window: "number", "number/concurrency" or
/// "number/sqrt_concurrency", with 0 < number <= 1.
class Feedback {
 public:
  static Result<Feedback> parse(std::string_view text);
  double at(int window) const;

 private:
  enum class Divisor : unsigned char { none, window, sqrt_window };
  double base_ = 1;
  Divisor divisor_ = Divisor::none;
};

struct ConcurrencyRules {
  int initial = 5;              ///< initial_destination_concurrency
  int limit = 20;               ///< destination_concurrency_limit; 0: none
  int failed_cohort_limit = 1;  ///< destination_concurrency_failed_cohort_limit; 0: never dead
  Feedback positive, negative;
};

/// The number of simultaneous deliveries that one destination gets.
class Window {
 public:
  explicit Window(const ConcurrencyRules& rules) : rules_(&rules), size_(rules.initial) {}

  int size() const { return size_; }
  /// After too many failed cohorts in a row (a cohort: as many deliveries as the window is wide) the
  /// destination is dead and gets nothing until revive().
  bool dead() const { return dead_; }

  /// A delivery reached the destination; `busy` others are under way.
  void succeed(int busy);
  /// The destination itself failed.
  void fail();
  void kill() { dead_ = true; }
  /// "window 5 success 0 failure 0 fail_cohorts 0", for the log.
  std::string describe() const;
  void revive();

 private:
  const ConcurrencyRules* rules_;
  int size_;
  bool dead_ = false;
  double success_ = 0, failure_ = 0, failed_cohorts_ = 0;
};

}  // namespace postrider::qmgr

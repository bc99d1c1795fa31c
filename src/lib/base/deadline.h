// Points in time by which something has to be done.
#pragma once

#include <chrono>

namespace postrider {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The latest moment at which a call may return. A function that takes a Deadline may suspend the fiber
/// that calls it; one that takes none never does.
class Deadline {
 public:
  static Deadline never() { return Deadline(Clock::time_point::max()); }
  static Deadline at(Clock::time_point when) { return Deadline(when); }
  /// `span` from now; a negative or zero span is a deadline that has passed.
  static Deadline after(Clock::duration span) {
    Clock::time_point now = Clock::now();
    return Deadline(span >= Clock::time_point::max() - now ? Clock::time_point::max() : now + span);
  }

  bool is_never() const { return when_ == Clock::time_point::max(); }
  bool passed() const { return !is_never() && Clock::now() >= when_; }
  Clock::time_point when() const { return when_; }
  /// Time left, never negative.
  Clock::duration left() const {
    Clock::time_point now = Clock::now();
    return when_ > now ? when_ - now : Clock::duration::zero();
  }
  /// The earlier of the two.
  Deadline or_sooner(Deadline other) const { return when_ <= other.when_ ? *this : other; }

  friend auto operator<=>(const Deadline&, const Deadline&) = default;

 private:
  explicit Deadline(Clock::time_point when) : when_(when) {}
  Clock::time_point when_;
};

}  // namespace postrider

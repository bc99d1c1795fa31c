// The event loop of a process.
#pragma once

#include <functional>
#include <memory>

#include "base/deadline.h"
#include "io/fiber.h"

namespace postrider::io {

/// Readiness, timers, signals and fibers of one thread. One loop exists per process; everything in this
/// folder works on it.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// The loop of this thread; it must exist.
  static Loop& current();
  static bool exists();

  /// Runs until stop(). Fibers still suspended then are unwound by the destructor.
  void run();
  void stop();

  /// Runs `call` on the loop's thread soon. The only member that other threads may call.
  void post(Task call);

  /// Called (not in a fiber) each time all ready fibers have run, before the loop sleeps.
  void at_turn_end(std::function<void()> call);

  /// Called (not in a fiber) when the signal arrives.
  void on_signal(int number, std::function<void()> call);

  /// The longest turn since the last call: how long a ready fiber may have waited.
  Clock::duration take_lag();

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Runs `body` as a fiber on a loop of its own until it returns; for command-line tools and tests.
void run_with_loop(Task body);

/// A callback that runs once, on the loop, not in a fiber. Destroying it cancels.
class Timer {
 public:
  explicit Timer(std::function<void()> call);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void start(Clock::duration after);
  void cancel();
  bool pending() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Calls back on the loop, not in a fiber, as long as the descriptor is readable (level-triggered); for
/// watching a descriptor that another process will read. Starts disabled.
class ReadWatch {
 public:
  ReadWatch(int fd, std::function<void()> call);
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;
  void enable();
  void disable();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Readiness of one descriptor, which must be non-blocking and outlive this object. Registered once,
/// edge-triggered: try the operation first and wait when it would block.
class FdEvents {
 public:
  explicit FdEvents(int fd);
  ~FdEvents();
  FdEvents(const FdEvents&) = delete;
  FdEvents& operator=(const FdEvents&) = delete;

  /// False when the deadline passed. True may be spurious. One fiber may wait for reading, two for writing.
  bool wait_readable(Deadline deadline);
  /// wait_readable() for a wait that will be long; see suspend_parked().
  bool wait_readable_parked(Deadline deadline);
  bool wait_writable(Deadline deadline);
  /// Whether something arrived since wait_readable() last returned; after a short read nothing is left to be
  /// read while this is false.
  bool maybe_readable() const;
  /// Makes a waiting reader return, as if input had arrived.
  void wake_reader();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postrider::io

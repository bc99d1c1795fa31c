// What the files of this folder share; nothing outside includes it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/context/fiber.hpp>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "io/fiber.h"
#include "io/loop.h"
#include "sys/fd.h"

namespace postrider::io {

struct Fiber {
  boost::context::fiber context;    // The fiber while it is suspended.
  boost::context::fiber scheduler;  // The loop while the fiber runs.
  Task body;
  std::string label;
  event timer;                                            // Wakes a wait that has a deadline.
  Clock::time_point armed_at = Clock::time_point::max();  // When `timer` fires; max: it is not pending.
  Clock::time_point deadline = Clock::time_point::max();  // Of the current wait.
  size_t index = 0;                                       // In Loop::State::fibers.
  bool ready = false;                                     // In the ready queue, or running.
  bool timed_out = false;
  bool finished = false;
  void* fake_stack = nullptr;  // AddressSanitizer's.
  const void* stack_bottom = nullptr;
  size_t stack_size = 0;
  bool park = false;               // Asked for by suspend_parked().
  std::unique_ptr<char[]> parked;  // The used part of the stack while it is put away.
  size_t parked_size = 0;
};

/// Fiber stacks with a guard page below each; freed stacks are kept for the next fiber.
class StackPool {
 public:
  static constexpr size_t kPage = 4096;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr size_t kStackSize = 512 * 1024;
#else
  static constexpr size_t kStackSize = 64 * 1024;
#endif

  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  boost::context::stack_context allocate();
  void deallocate(boost::context::stack_context& stack) noexcept;

 private:
  static constexpr size_t kKeep = 256;
  std::vector<void*> free_;
};

struct Loop::State {
  event_base* base = nullptr;
  bool stopping = false;
  bool unwinding = false;
  StackPool stacks;
  std::deque<Fiber*> ready;
  Fiber* running = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<std::unique_ptr<Fiber>> spare;
  std::vector<std::function<void()>> turn_end;
  std::vector<std::pair<event*, std::unique_ptr<std::function<void()>>>> signals;
  Clock::duration lag{};

  std::mutex posted_mutex;
  std::vector<Task> posted;  // Guarded by posted_mutex.
  sys::Pipe wake_pipe;
  event* wake_event = nullptr;

  void* scheduler_fake_stack = nullptr;
  const void* scheduler_stack_bottom = nullptr;
  size_t scheduler_stack_size = 0;

  void run_ready();
  void run_posted();
  void resume(Fiber* fiber);
  static void park(Fiber& fiber);
  static void unpark(Fiber& fiber);
  void retire(Fiber* fiber);
  ~State();
};

}  // namespace postrider::io

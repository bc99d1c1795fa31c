// Fibers: sessions and jobs written top to bottom, many on one thread.
//
// A fiber runs until it suspends; nothing else runs meanwhile, so state shared between fibers of a process
// needs no locks, only care about what may change across a call that takes a Deadline. Fibers have 64 kB of
// stack: no large locals, no recursion that input drives without a cap. Never suspend in a catch block or in
// a destructor.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "io/task.h"

namespace postrider::io {

/// Starts a fiber; it runs for the first time when the caller suspends or returns to the loop. What the body
/// throws is logged and ends the fiber only.
void spawn(Task body);

/// Whether the caller runs in a fiber and thus may suspend.
bool in_fiber();

/// Lets the other fibers that are ready run first.
void yield();

/// Suspends until the deadline.
void sleep_until(Deadline when);
void sleep_for(Clock::duration span);

/// A short name for what the current fiber works on ("smtpd-17"), for logs; empty outside a fiber.
void set_fiber_label(std::string label);
std::string_view fiber_label();

/// Asserts, in builds with assertions, that nothing suspends while it lives.
class NoSuspend {
 public:
  NoSuspend();
  ~NoSuspend();
  NoSuspend(const NoSuspend&) = delete;
  NoSuspend& operator=(const NoSuspend&) = delete;
};

/// How many fibers exist.
size_t fiber_count();

/// Called with the text of an exception that left a fiber; the default writes to standard error.
void set_fiber_error_handler(std::function<void(const char*)> handler);

// --- for the primitives in this folder ---

struct Fiber;
Fiber* current_fiber();
/// Suspends until wake() or the deadline; true when woken. The caller makes sure that whoever may wake it can
/// no longer do so once this has returned.
bool suspend(Deadline deadline);
/// suspend() for a wait that will be long: of the fiber's stack no more is kept than what is in use. Nobody
/// else may refer to something on that stack meanwhile.
bool suspend_parked(Deadline deadline);
/// Makes a suspended fiber ready; a fiber that is already ready stays so.
void wake(Fiber* fiber);

}  // namespace postrider::io

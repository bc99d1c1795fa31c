#include "io/fiber.h"

#include <sys/mman.h>

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#include "io/internal.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace postrider::io {

namespace {

thread_local int no_suspend_depth = 0;

std::function<void(const char*)>& error_handler() {
  static std::function<void(const char*)> handler = [](const char* text) {
    fprintf(stderr, "error: unexpected exception: %s\n", text);
  };
  return handler;
}

Loop::State& state() {
  return Loop::current().state();
}

timeval to_timeval(Clock::duration span) {
  auto us = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  if (us < 0) us = 0;
  // libevent rounds down to milliseconds on epoll; never fire early.
  us += 999;
  return timeval{us / 1'000'000, us % 1'000'000};
}

// Announce stack switches to AddressSanitizer, which otherwise takes them for corruption.
void begin_switch([[maybe_unused]] void** save, [[maybe_unused]] const void* bottom,
                  [[maybe_unused]] size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(save, bottom, size);
#endif
}
void end_switch([[maybe_unused]] void* save, [[maybe_unused]] const void** bottom,
                [[maybe_unused]] size_t* size) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(save, bottom, size);
#endif
}

/// A fiber leaves its outermost frames by a switch, never by a return, so AddressSanitizer goes on to guard
/// what lay around their variables: whatever comes to lie there next, a stack or not, has to be free of that.
void forget_frames([[maybe_unused]] void* bottom, [[maybe_unused]] size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(bottom, size);
#endif
}

/// The timer of a fiber is left running when a wait ends early and corrected when it fires: most waits with a
/// deadline end in time, and touching the timer for each costs more than the rare useless expiry.
void on_timer(evutil_socket_t, short, void* argument) {
  auto* fiber = static_cast<Fiber*>(argument);
  fiber->armed_at = Clock::time_point::max();
  if (fiber->ready || fiber->deadline == Clock::time_point::max()) return;
  Clock::time_point now = Clock::now();
  if (fiber->deadline <= now) {
    fiber->timed_out = true;
    wake(fiber);
  } else {
    timeval tv = to_timeval(fiber->deadline - now);
    event_add(&fiber->timer, &tv);
    fiber->armed_at = fiber->deadline;
  }
}

/// Thrown out of suspend() when the loop is being destroyed, so that what the fiber owns is released.
struct Unwind {};

void run_body(Fiber* fiber) {
  try {
    fiber->body();
  } catch (const Unwind&) {
  } catch (const std::exception& e) {
    error_handler()(e.what());
  } catch (...) {
    error_handler()("of unknown type");
  }
}

struct PooledStacks {
  StackPool* pool;
  Fiber* fiber;
  boost::context::stack_context allocate() {
    boost::context::stack_context stack = pool->allocate();
    fiber->stack_size = stack.size;
    fiber->stack_bottom = static_cast<char*>(stack.sp) - stack.size;
    return stack;
  }
  void deallocate(boost::context::stack_context& stack) noexcept { pool->deallocate(stack); }
};

}  // namespace

StackPool::~StackPool() {
  for (void* base : free_)
    munmap(base, kPage + kStackSize);
}

boost::context::stack_context StackPool::allocate() {
#ifdef MAP_NORESERVE
  constexpr int kNoReserve = MAP_NORESERVE;
#else  // FreeBSD reserves nothing.
  constexpr int kNoReserve = 0;
#endif
  void* base;
  if (!free_.empty()) {
    base = free_.back();
    free_.pop_back();
  } else {
    base = mmap(nullptr, kPage + kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | kNoReserve,
                -1, 0);
    if (base == MAP_FAILED) throw std::bad_alloc();
    mprotect(base, kPage, PROT_NONE);
  }
  boost::context::stack_context stack;
  stack.size = kStackSize;
  stack.sp = static_cast<char*>(base) + kPage + kStackSize;
  return stack;
}

void StackPool::deallocate(boost::context::stack_context& stack) noexcept {
  char* base = static_cast<char*>(stack.sp) - kStackSize - kPage;
  forget_frames(base + kPage, kStackSize);
  if (free_.size() < kKeep) {
    free_.push_back(base);
  } else {
    munmap(base, kPage + kStackSize);
  }
}

void spawn(Task body) {
  Loop::State& s = state();
  std::unique_ptr<Fiber> owned;
  if (!s.spare.empty()) {
    owned = std::move(s.spare.back());
    s.spare.pop_back();
  } else {
    owned = std::make_unique<Fiber>();
    evtimer_assign(&owned->timer, s.base, on_timer, owned.get());
  }
  Fiber* fiber = owned.get();
  fiber->body = std::move(body);
  fiber->label.clear();
  fiber->deadline = Clock::time_point::max();
  fiber->finished = fiber->timed_out = false;
  fiber->index = s.fibers.size();
  s.fibers.push_back(std::move(owned));
  fiber->context = boost::context::fiber(
      std::allocator_arg, PooledStacks{&s.stacks, fiber}, [fiber, &s](boost::context::fiber&& scheduler) {
        end_switch(nullptr, &s.scheduler_stack_bottom, &s.scheduler_stack_size);
        fiber->scheduler = std::move(scheduler);
        if (!s.unwinding) run_body(fiber);
        fiber->body = nullptr;
        fiber->finished = true;
        begin_switch(nullptr, s.scheduler_stack_bottom, s.scheduler_stack_size);
        return std::move(fiber->scheduler);
      });
  fiber->ready = true;
  s.ready.push_back(fiber);
}

namespace {

/// Where the stack of a suspended fiber ends. The context is one pointer to it.
char* stack_end(const Fiber& fiber) {
  static_assert(sizeof fiber.context == sizeof(char*));
  char* end;
  memcpy(&end, &fiber.context, sizeof end);
  return end;
}

/// Copying more than this costs more than the page that it saves.
constexpr size_t kMaxParked = 3 * 1024;

}  // namespace

void Loop::State::park(Fiber& fiber) {
  fiber.park = false;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  char* end = stack_end(fiber);
  auto* bottom = static_cast<char*>(const_cast<void*>(fiber.stack_bottom));
  auto used = static_cast<size_t>(bottom + fiber.stack_size - end);
  if (used > kMaxParked) {
    // At least what lies below is given back.
    auto unused = static_cast<size_t>(end - bottom) / StackPool::kPage * StackPool::kPage;
    madvise(bottom, unused, MADV_DONTNEED);
    return;
  }
  fiber.parked = std::make_unique_for_overwrite<char[]>(used);
  fiber.parked_size = used;
  memcpy(fiber.parked.get(), end, used);
  madvise(bottom, fiber.stack_size, MADV_DONTNEED);
#endif
}

void Loop::State::unpark(Fiber& fiber) {
  memcpy(stack_end(fiber), fiber.parked.get(), fiber.parked_size);
  fiber.parked.reset();
}

void Loop::State::resume(Fiber* fiber) {
  if (fiber->parked) unpark(*fiber);
  running = fiber;
  begin_switch(&scheduler_fake_stack, fiber->stack_bottom, fiber->stack_size);
  fiber->context = std::move(fiber->context).resume();
  end_switch(scheduler_fake_stack, nullptr, nullptr);
  running = nullptr;
  if (fiber->finished) return retire(fiber);
  if (fiber->park) park(*fiber);
}

void Loop::State::retire(Fiber* fiber) {
  event_del(&fiber->timer);
  fiber->armed_at = Clock::time_point::max();
  fiber->ready = false;
  size_t index = fiber->index;
  std::unique_ptr<Fiber> owned = std::move(fibers[index]);
  if (index + 1 != fibers.size()) {
    fibers[index] = std::move(fibers.back());
    fibers[index]->index = index;
  }
  fibers.pop_back();
  if (spare.size() < 1024) spare.push_back(std::move(owned));
}

bool in_fiber() {
  return Loop::exists() && state().running != nullptr;
}
Fiber* current_fiber() {
  return state().running;
}
void set_fiber_label(std::string label) {
  state().running->label = std::move(label);
}
std::string_view fiber_label() {
  return in_fiber() ? std::string_view(state().running->label) : std::string_view();
}
size_t fiber_count() {
  return state().fibers.size();
}

bool suspend(Deadline deadline) {
  Loop::State& s = state();
  Fiber* fiber = s.running;
  assert(fiber != nullptr && "only a fiber can suspend");
  assert(no_suspend_depth == 0 && "suspended under NoSuspend");
  assert(std::uncaught_exceptions() == 0 && "suspended while an exception unwinds");
  fiber->deadline = deadline.when();
  fiber->timed_out = false;
  if (!deadline.is_never() && fiber->armed_at > fiber->deadline) {
    timeval tv = to_timeval(deadline.left());
    event_add(&fiber->timer, &tv);
    fiber->armed_at = fiber->deadline;
  }
  fiber->ready = false;
  begin_switch(&fiber->fake_stack, s.scheduler_stack_bottom, s.scheduler_stack_size);
  fiber->scheduler = std::move(fiber->scheduler).resume();
  end_switch(fiber->fake_stack, &s.scheduler_stack_bottom, &s.scheduler_stack_size);
  fiber->deadline = Clock::time_point::max();
  if (s.unwinding) throw Unwind();
  return !fiber->timed_out;
}

bool suspend_parked(Deadline deadline) {
  state().running->park = true;
  return suspend(deadline);
}

void wake(Fiber* fiber) {
  if (fiber->ready) return;
  fiber->ready = true;
  state().ready.push_back(fiber);
}

void yield() {
  Loop::State& s = state();
  Fiber* fiber = s.running;
  s.ready.push_back(fiber);
  // Marked ready by hand: suspend() clears the mark, and a second wake() must not queue it twice.
  begin_switch(&fiber->fake_stack, s.scheduler_stack_bottom, s.scheduler_stack_size);
  fiber->scheduler = std::move(fiber->scheduler).resume();
  end_switch(fiber->fake_stack, &s.scheduler_stack_bottom, &s.scheduler_stack_size);
  if (s.unwinding) throw Unwind();
}

void sleep_until(Deadline when) {
  suspend(when);
}
void sleep_for(Clock::duration span) {
  suspend(Deadline::after(span));
}

NoSuspend::NoSuspend() {
  ++no_suspend_depth;
}
NoSuspend::~NoSuspend() {
  --no_suspend_depth;
}

void set_fiber_error_handler(std::function<void(const char*)> handler) {
  error_handler() = std::move(handler);
}

}  // namespace postrider::io

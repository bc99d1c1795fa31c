// Blocking calls off the event loop.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/deadline.h"
#include "base/result.h"
#include "io/fiber.h"

namespace postrider::io {

/// The threads that blocking calls run on; at most this many at a time, more wait their turn.
void set_offload_threads(size_t count);
/// Raises or lowers that number, for callers whose calls may hang for long and bring threads of their own.
void add_offload_threads(ptrdiff_t count);

namespace detail {
/// A job that both sides own: when the fiber has given up, the thread still finishes and drops it.
struct OffloadJob {
  virtual ~OffloadJob() = default;
  virtual void work() = 0;
  Fiber* waiter = nullptr;  // Used on the loop's thread only.
  bool done = false;        // Likewise.
};
/// False when the deadline passed first.
bool offload_and_wait(std::shared_ptr<OffloadJob> job, Deadline deadline);
}  // namespace detail

/// Runs `call` on another thread and suspends until it has returned. When the deadline passes first, the call
/// goes on alone and its result is dropped, so it must own what it uses. Outside a fiber (command-line tools)
/// `call` simply runs. Returns Result<T> for a call that returns T; a call that returns a Result<T> is passed
/// through.
template <typename Call>
auto offload(Call call, Deadline deadline) {
  using Value = std::invoke_result_t<Call&>;
  struct Job : detail::OffloadJob {
    explicit Job(Call c) : call(std::move(c)) {}
    void work() override { value.emplace(call()); }
    Call call;
    std::optional<Value> value;
  };
  if constexpr (requires(Value v) { v.error(); }) {
    if (!in_fiber()) return call();
    auto job = std::make_shared<Job>(std::move(call));
    if (!detail::offload_and_wait(job, deadline)) return Value(fail(ErrorKind::timeout, "timed out"));
    return std::move(*job->value);
  } else {
    if (!in_fiber()) return Result<Value>(call());
    auto job = std::make_shared<Job>(std::move(call));
    if (!detail::offload_and_wait(job, deadline)) return Result<Value>(fail(ErrorKind::timeout, "timed out"));
    return Result<Value>(std::move(*job->value));
  }
}

}  // namespace postrider::io

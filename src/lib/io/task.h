// Work to run once, with what it holds: a callable that can be moved and need not be copyable.
#pragma once

#include <functional>

#ifndef __cpp_lib_move_only_function
#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>
#endif

namespace postrider::io {

#ifdef __cpp_lib_move_only_function
using Task = std::move_only_function<void()>;
#else
/// For libc++, FreeBSD's standard library, which does not have std::move_only_function.
class Task {
 public:
  Task() = default;
  Task(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  template <typename F>
    requires(!std::same_as<std::remove_cvref_t<F>, Task> && std::invocable<F&>)
  Task(F&& work)  // NOLINT(google-explicit-constructor): as std::move_only_function.
      : work_(std::make_unique<Held<std::remove_cvref_t<F> > >(std::forward<F>(work))) {}

  void operator()() { work_->run(); }
  explicit operator bool() const { return work_ != nullptr; }

 private:
  struct Work {
    virtual ~Work() = default;
    virtual void run() = 0;
  };
  template <typename F>
  struct Held : Work {
    explicit Held(F work) : function(std::move(work)) {}
    void run() override { function(); }
    F function;
  };
  std::unique_ptr<Work> work_;
};
#endif

}  // namespace postrider::io

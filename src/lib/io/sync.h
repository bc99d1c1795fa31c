// Coordination between the fibers of one loop.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "base/deadline.h"
#include "io/fiber.h"

namespace postrider::io {

/// A place where fibers wait for something that other fibers bring about; always in a loop that checks the
/// thing itself.
class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition();

  /// False when the deadline passed.
  bool wait(Deadline deadline);
  void notify_one();
  void notify_all();
  bool has_waiters() const { return first_ != nullptr; }

 private:
  struct Waiter;
  void unlink(Waiter& waiter);
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

/// A counted permission; acquire() in order of arrival.
class Semaphore {
 public:
  explicit Semaphore(size_t count) : free_(count) {}
  bool acquire(Deadline deadline);
  void release();
  size_t free() const { return free_; }

 private:
  size_t free_;
  Condition changed_;
};

/// Mutual exclusion across calls that suspend.
class Mutex {
 public:
  bool lock(Deadline deadline) { return semaphore_.acquire(deadline); }
  void unlock() { semaphore_.release(); }

 private:
  Semaphore semaphore_{1};
};

/// A bounded queue between fibers.
template <typename T>
class Queue {
 public:
  explicit Queue(size_t capacity) : capacity_(capacity) {}

  /// False when the deadline passed or the queue is closed.
  bool push(T item, Deadline deadline) {
    while (items_.size() >= capacity_ && !closed_) {
      if (!has_room_.wait(deadline)) return false;
    }
    if (closed_) return false;
    items_.push_back(std::move(item));
    has_items_.notify_one();
    return true;
  }

  /// Nothing when the deadline passed, or when the queue is closed and empty.
  std::optional<T> pop(Deadline deadline) {
    while (items_.empty()) {
      if (closed_ || !has_items_.wait(deadline)) return std::nullopt;
    }
    T item = std::move(items_.front());
    items_.pop_front();
    has_room_.notify_one();
    return item;
  }

  void close() {
    closed_ = true;
    has_items_.notify_all();
    has_room_.notify_all();
  }
  bool closed() const { return closed_; }
  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }

 private:
  size_t capacity_;
  bool closed_ = false;
  std::deque<T> items_;
  Condition has_items_, has_room_;
};

/// Fibers that are waited for together.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// The group must outlive its fibers: wait() before it goes.
  ~TaskGroup();
  void spawn(Task body);
  /// Until all fibers of the group have ended; false when the deadline passed first.
  bool wait(Deadline deadline);
  size_t size() const { return running_; }

 private:
  size_t running_ = 0;
  Condition done_;
};

}  // namespace postrider::io

#include "io/sync.h"

#include <cassert>

namespace postrider::io {

struct Condition::Waiter {
  Fiber* fiber;
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  bool linked = true;
};

Condition::~Condition() {
  assert(first_ == nullptr && "a fiber waits for a condition that is gone");
}

void Condition::unlink(Waiter& waiter) {
  (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
  waiter.linked = false;
}

bool Condition::wait(Deadline deadline) {
  Waiter self{current_fiber()};
  // Also when the loop is destroyed and unwinds this stack, the list must not keep a dead entry.
  struct Unlink {
    Condition* condition;
    Waiter* waiter;
    ~Unlink() {
      if (waiter->linked) condition->unlink(*waiter);
    }
  } unlink_at_exit{this, &self};
  self.previous = last_;
  (last_ != nullptr ? last_->next : first_) = &self;
  last_ = &self;
  suspend(deadline);
  return !self.linked;
}

void Condition::notify_one() {
  if (first_ == nullptr) return;
  Waiter& waiter = *first_;
  unlink(waiter);
  wake(waiter.fiber);
}

void Condition::notify_all() {
  while (first_ != nullptr)
    notify_one();
}

bool Semaphore::acquire(Deadline deadline) {
  // Those who came first are served first, even when a permission has just become free.
  while (free_ == 0) {
    if (!changed_.wait(deadline)) return false;
  }
  --free_;
  return true;
}

void Semaphore::release() {
  ++free_;
  changed_.notify_one();
}

TaskGroup::~TaskGroup() {
  assert(running_ == 0 && "the fibers of a group outlive it");
}

void TaskGroup::spawn(Task body) {
  ++running_;
  io::spawn([this, task = std::move(body)]() mutable {
    struct Leave {
      TaskGroup* group;
      ~Leave() {
        if (--group->running_ == 0) group->done_.notify_all();
      }
    } leave{this};
    task();
  });
}

bool TaskGroup::wait(Deadline deadline) {
  while (running_ > 0) {
    if (!done_.wait(deadline)) return running_ == 0;
  }
  return true;
}

}  // namespace postrider::io

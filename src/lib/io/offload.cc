#include "io/offload.h"

#include <signal.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "io/loop.h"

namespace postrider::io {

namespace {

using detail::OffloadJob;

/// Threads are started when jobs wait and none is idle, and stay. The pool is never destroyed: at the end of
/// the process its threads may still be inside a system call.
class Pool {
 public:
  void set_limit(size_t count) {
    std::lock_guard lock(mutex_);
    limit_ = count;
  }

  void add_to_limit(ptrdiff_t count) {
    std::lock_guard lock(mutex_);
    limit_ = static_cast<size_t>(static_cast<ptrdiff_t>(limit_) + count);
  }

  void submit(std::shared_ptr<OffloadJob> job, Loop* loop) {
    std::unique_lock lock(mutex_);
    jobs_.push_back({std::move(job), loop});
    if (idle_ >= jobs_.size() || threads_ >= limit_) {
      lock.unlock();  // or the thread wakes up only to wait for the lock
      changed_.notify_one();
      return;
    }
    ++threads_;
    // Signals are for the loop's thread.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([this] { serve(); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

 private:
  struct Entry {
    std::shared_ptr<OffloadJob> job;
    Loop* loop;
  };

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      while (jobs_.empty()) {
        ++idle_;
        changed_.wait(lock);
        --idle_;
      }
      Entry entry = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      entry.job->work();
      entry.loop->post([job = std::move(entry.job)] {
        job->done = true;
        if (job->waiter != nullptr) wake(job->waiter);
      });
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> jobs_;  // This and the following are guarded by mutex_.
  size_t idle_ = 0;
  size_t threads_ = 0;
  size_t limit_ = 32;
};

Pool& pool() {
  static Pool* instance = new Pool;
  return *instance;
}

}  // namespace

void set_offload_threads(size_t count) {
  pool().set_limit(count);
}

void add_offload_threads(ptrdiff_t count) {
  pool().add_to_limit(count);
}

bool detail::offload_and_wait(std::shared_ptr<OffloadJob> job, Deadline deadline) {
  job->waiter = current_fiber();
  pool().submit(job, &Loop::current());
  while (!job->done) {
    if (!suspend(deadline)) break;
  }
  job->waiter = nullptr;
  return job->done;
}

}  // namespace postrider::io

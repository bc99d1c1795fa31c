// Waiting for child processes.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>

#include "base/deadline.h"
#include "base/result.h"

namespace postrider::sys {

/// How a process ended.
struct ExitStatus {
  bool by_signal = false;
  int number = 0;  ///< The signal, or the exit status.

  bool success() const { return !by_signal && number == 0; }
};

/// Waits for children and descriptors together, in a process without event loop and threads. SIGCHLD is
/// blocked but while wait() sleeps, so that no end of a child is missed. One at a time in a process.
class ChildWaiter {
 public:
  ChildWaiter();
  ~ChildWaiter();
  ChildWaiter(const ChildWaiter&) = delete;
  ChildWaiter& operator=(const ChildWaiter&) = delete;

  struct Watched {
    int fd = -1;         ///< -1: not watched.
    bool ready = false;  ///< Set by wait(): there is something to read, or the other end has closed.
  };
  /// Until a descriptor is ready, a child has ended or the deadline has passed. May return early.
  Result<void> wait(std::span<Watched> watched, Deadline deadline);

 private:
  struct State;
  State* state_;
};

/// How the child ended; nothing while it runs.
Result<std::optional<ExitStatus>> reap(pid_t child);
/// Waits until the child has ended.
Result<ExitStatus> wait_ended(pid_t child);
/// SIGKILL to a whole process group; that it is gone already is no error.
void kill_group(pid_t leader);

/// Runs `body` in a new process, which ends with it. Descriptors other than 0, 1, 2 and `keep` are closed
/// there; `keep` becomes 3. Before threads exist.
Result<pid_t> fork_helper(int keep, int (*body)(int fd, void* argument), void* argument);

/// Bytes that this process and its children may write to one file; more fails with EFBIG.
Result<void> limit_file_size(off_t bytes);

}  // namespace postrider::sys

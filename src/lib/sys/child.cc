#include "sys/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/fd.h"

namespace postrider::sys {

namespace {

constexpr size_t kMaxWatched = 8;

ExitStatus decode(int status) {
  if (WIFSIGNALED(status)) return {.by_signal = true, .number = WTERMSIG(status)};
  return {.by_signal = false, .number = WEXITSTATUS(status)};
}

void ignore_in_handler(int) {}

}  // namespace

struct ChildWaiter::State {
  sigset_t before{};
  struct sigaction action_before{};
};

ChildWaiter::ChildWaiter() : state_(new State) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, &state_->before);
  // A handler, so that the signal interrupts the sleep instead of being dropped.
  struct sigaction action{};
  action.sa_handler = ignore_in_handler;
  sigaction(SIGCHLD, &action, &state_->action_before);
}

ChildWaiter::~ChildWaiter() {
  sigaction(SIGCHLD, &state_->action_before, nullptr);
  sigprocmask(SIG_SETMASK, &state_->before, nullptr);
  delete state_;
}

Result<void> ChildWaiter::wait(std::span<Watched> watched, Deadline deadline) {
  std::array<pollfd, kMaxWatched> polled{};
  if (watched.size() > polled.size()) return fail(ErrorKind::limit, "too many descriptors");
  for (size_t i = 0; i < watched.size(); ++i) {
    watched[i].ready = false;
    polled[i] = {.fd = watched[i].fd, .events = POLLIN, .revents = 0};
  }
  timespec left{};
  if (!deadline.is_never()) {
    auto span = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.left()).count();
    left.tv_sec = static_cast<time_t>(span / 1'000'000'000);
    left.tv_nsec = static_cast<long>(span % 1'000'000'000);
  }
  sigset_t mask = state_->before;
  sigdelset(&mask, SIGCHLD);
  int count =
      ppoll(polled.data(), static_cast<nfds_t>(watched.size()), deadline.is_never() ? nullptr : &left, &mask);
  if (count < 0) return errno == EINTR ? Result<void>() : fail_errno("poll");
  for (size_t i = 0; i < watched.size(); ++i)
    watched[i].ready = polled[i].revents != 0;
  return {};
}

Result<std::optional<ExitStatus>> reap(pid_t child) {
  int status = 0;
  for (;;) {
    pid_t found = waitpid(child, &status, WNOHANG);
    if (found == child) return decode(status);
    if (found == 0) return std::nullopt;
    if (errno != EINTR) return fail_errno("wait");
  }
}

Result<ExitStatus> wait_ended(pid_t child) {
  int status = 0;
  for (;;) {
    if (waitpid(child, &status, 0) == child) return decode(status);
    if (errno != EINTR) return fail_errno("wait");
  }
}

void kill_group(pid_t leader) {
  (void)kill(-leader, SIGKILL);
}

Result<pid_t> fork_helper(int keep, int (*body)(int fd, void* argument), void* argument) {
  constexpr int kKept = 3;
  pid_t pid = fork();
  if (pid < 0) return fail_errno("fork");
  if (pid > 0) return pid;
  if (keep != kKept && dup2(keep, kKept) < 0) _exit(1);
  if (fcntl(kKept, F_SETFD, FD_CLOEXEC) < 0) _exit(1);
  close_from(kKept + 1);
  _exit(body(kKept, argument));
}

Result<void> limit_file_size(off_t bytes) {
  auto wanted = static_cast<rlim_t>(bytes);
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) < 0) return fail_errno("getrlimit");
  if (limit.rlim_max != RLIM_INFINITY && wanted > limit.rlim_max) wanted = limit.rlim_max;
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_FSIZE, &limit) < 0) return fail_errno("setrlimit");
  return {};
}

}  // namespace postrider::sys

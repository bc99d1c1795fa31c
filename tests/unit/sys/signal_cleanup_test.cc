#include "sys/signal_cleanup.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace postrider::sys {
namespace {

/// A new empty file, removed with the object.
struct TemporaryFile {
  TemporaryFile() {
    char name[] = "/tmp/signal-cleanup-XXXXXX";
    fd = Fd(mkstemp(name));
    path = name;
  }
  ~TemporaryFile() { ::unlink(path.c_str()); }
  std::string path;
  Fd fd;
};

/// Runs `body` in a child; how it ended.
int status_of(const std::function<void()>& body) {
  pid_t pid = fork();
  if (pid == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

TEST(RemoveOnSignal, RemovesTheFileAndEndsByTheSignal) {
  TemporaryFile file;
  int status = status_of([&] {
    RemoveOnSignal guard;
    guard.watch(file.path);
    raise(SIGTERM);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  EXPECT_FALSE(exists(file.path));
}

TEST(RemoveOnSignal, LeavesAFileThatIsComplete) {
  TemporaryFile file;
  int status = status_of([&] {
    RemoveOnSignal guard;
    guard.watch(file.path);
    guard.keep();
    raise(SIGINT);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(exists(file.path));
}

TEST(RemoveOnSignal, KeepsSignalsIgnoredThatWereIgnored) {
  TemporaryFile file;
  int status = status_of([&] {
    signal(SIGHUP, SIG_IGN);
    RemoveOnSignal guard;
    guard.watch(file.path);
    raise(SIGHUP);
    _exit(7);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  EXPECT_TRUE(exists(file.path));
}

TEST(RemoveOnSignal, HoldsSignalsBackWhileTheFileIsBeingMade) {
  TemporaryFile file;
  int status = status_of([&] {
    RemoveOnSignal guard;
    raise(SIGTERM);          // Waits...
    guard.watch(file.path);  // ...until the name is known.
    _exit(7);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(exists(file.path));
}

}  // namespace
}  // namespace postrider::sys

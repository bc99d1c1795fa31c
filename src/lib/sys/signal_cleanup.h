// Leaving nothing unfinished behind when a signal ends a command.
#pragma once

#include <signal.h>

#include <string>

namespace postrider::sys {

/// A file that is removed when SIGHUP, SIGINT, SIGQUIT or SIGTERM ends this process before keep(). Signals
/// that were ignored (nohup) stay ignored. One object exists at a time.
class RemoveOnSignal {
 public:
  /// The signals wait from here until watch(), so that the file can be created and named meanwhile.
  RemoveOnSignal();
  ~RemoveOnSignal();
  RemoveOnSignal(const RemoveOnSignal&) = delete;
  RemoveOnSignal& operator=(const RemoveOnSignal&) = delete;

  /// The file to remove. A path too long to be kept is not watched.
  void watch(const std::string& path);
  /// The file is complete, or gone: signals end the process without touching it.
  void keep();

 private:
  sigset_t before_;
  bool blocked_ = true;
};

}  // namespace postrider::sys

// Files that keep two masters from running the same mail system.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "sys/fd.h"

namespace postrider::service {

/// A file that this process holds an exclusive lock on, for as long as the object lives.
class LockFile {
 public:
  /// ErrorKind::temporary when another process has it.
  static Result<LockFile> acquire(const std::string& path);
  /// Writes the process id as Postfix does: right-adjusted in 29 columns or so, and a newline.
  Result<void> write_pid(pid_t pid);
  int fd() const { return fd_.get(); }

 private:
  explicit LockFile(sys::Fd fd) : fd_(std::move(fd)) {}
  sys::Fd fd_;
};

/// The file in which a running master keeps its process id, below the queue directory.
std::string master_pid_path(const config::Config& config);

/// The process id of the running master; nothing when none runs.
Result<std::optional<pid_t>> running_master(const config::Config& config);

}  // namespace postrider::service

// Files that keep two masters from running the same mail system.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace postrider::master {

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

}  // namespace postrider::master

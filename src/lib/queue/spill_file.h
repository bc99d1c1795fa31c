// Content that waits on disk for its turn, without a name.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/deadline.h"
#include "base/result.h"
#include "sys/fd.h"

namespace postrider::queue {

/// A file in the incoming queue's directory that is gone with the object. It is no queue file: nothing has
/// been promised for what is in it. Reading and writing may suspend.
class SpillFile {
 public:
  /// The directory below the queue directory, for the sandbox.
  static constexpr const char* kDirectory = "incoming";

  static Result<SpillFile> make();
  /// Before the first next().
  Result<void> append(std::string bytes, Deadline deadline);
  /// The next piece from the start on; empty at the end.
  Result<std::string> next(Deadline deadline);

 private:
  explicit SpillFile(sys::Fd file) : file_(std::make_shared<sys::Fd>(std::move(file))) {}
  std::shared_ptr<sys::Fd> file_;  // A call that has been given up still works on it.
  off_t position_ = 0;
};

}  // namespace postrider::queue

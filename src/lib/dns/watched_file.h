// A small configuration file that may change while we run; inside this folder only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/deadline.h"

namespace postrider::dns {

class WatchedFile {
 public:
  /// `interval`: how often to look, at most.
  WatchedFile(std::string path, Clock::duration interval, size_t max_size)
      : path_(std::move(path)), interval_(interval), max_size_(max_size) {}

  /// The content, the first time and when it has changed since. What was never seen is empty; a file that has
  /// gone out of sight counts as unchanged: an editor may be replacing it, or the process was put into a
  /// sandbox.
  std::optional<std::string> take_new();

 private:
  struct Stamp {
    time_t seconds = 0;
    long nanoseconds = 0;
    ino_t inode = 0;
    off_t size = -1;
    bool operator==(const Stamp&) const = default;
  };
  std::optional<std::string> read_if_changed();

  std::string path_;
  Clock::duration interval_;
  size_t max_size_;
  Stamp stamp_;
  bool looked_ = false;
  Clock::time_point last_look_;
};

}  // namespace postrider::dns

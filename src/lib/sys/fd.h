// Owned file descriptors and plain I/O on them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace postrider::sys {

/// A file descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// Gives up ownership.
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

Result<void> set_nonblocking(int fd, bool on = true);
Result<void> set_close_on_exec(int fd, bool on = true);
/// A copy with close-on-exec set.
Result<Fd> duplicate(int fd);

struct Pipe {
  Fd read, write;
};
/// Both ends with close-on-exec set.
Result<Pipe> make_pipe();

/// Reads at most `size` bytes, restarting after signals; 0 at end of file.
Result<size_t> read_some(int fd, void* data, size_t size);
/// The same at a position of a file, without moving that of the descriptor.
Result<size_t> read_at(int fd, void* data, size_t size, off_t position);
/// Writes all of `data` at a position of a file, without moving that of the descriptor.
Result<void> write_at(int fd, std::string_view data, off_t position);
/// Writes all of `data` to a blocking descriptor.
Result<void> write_all(int fd, std::string_view data);
/// Reads to end of file; ErrorKind::limit when there are more than `max` bytes.
Result<std::string> read_all(int fd, size_t max);

/// Closes every descriptor >= `first`; for a process that is about to become something else.
void close_from(int first);

}  // namespace postrider::sys

#include "sys/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

namespace postrider::sys {

void Fd::reset(int fd) {
  // Linux and FreeBSD release the descriptor even when close() fails; errno of the caller survives.
  if (fd_ >= 0) {
    int saved = errno;
    ::close(fd_);
    errno = saved;
  }
  fd_ = fd;
}

Result<void> set_nonblocking(int fd, bool on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return fail_errno("fcntl F_GETFL");
  int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0) return fail_errno("fcntl F_SETFL");
  return {};
}

Result<void> set_close_on_exec(int fd, bool on) {
  if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0) return fail_errno("fcntl F_SETFD");
  return {};
}

Result<Fd> duplicate(int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail_errno("fcntl F_DUPFD_CLOEXEC");
  return Fd(copy);
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return fail_errno("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<size_t> read_some(int fd, void* data, size_t size) {
  for (;;) {
    ssize_t count = ::read(fd, data, size);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return fail_errno("read");
  }
}

Result<size_t> read_at(int fd, void* data, size_t size, off_t position) {
  for (;;) {
    ssize_t count = ::pread(fd, data, size, position);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return fail_errno("read");
  }
}

Result<void> write_at(int fd, std::string_view data, off_t position) {
  while (!data.empty()) {
    ssize_t count = ::pwrite(fd, data.data(), data.size(), position);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("write");
    data.remove_prefix(static_cast<size_t>(count));
    position += count;
  }
  return {};
}

Result<void> write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    ssize_t count = ::write(fd, data.data(), data.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail_errno("write");
    }
    data.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<std::string> read_all(int fd, size_t max) {
  std::string out;
  size_t step = 4096;
  for (;;) {
    size_t had = out.size();
    out.resize(had + step);
    auto count = read_some(fd, out.data() + had, step);
    if (!count) return std::unexpected(count.error());
    out.resize(had + *count);
    if (*count == 0) return out;
    if (out.size() > max) return fail(ErrorKind::limit, fmt::format("more than {} bytes", max));
    step = std::min<size_t>(65536, step * 2);
  }
}

void close_from(int first) {
#ifdef __linux__
  if (::close_range(static_cast<unsigned>(first), ~0U, 0) == 0) return;
#else
  ::closefrom(first);
  return;
#endif
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  for (int fd = first; fd < static_cast<int>(limit.rlim_cur); ++fd)
    ::close(fd);
}

}  // namespace postrider::sys

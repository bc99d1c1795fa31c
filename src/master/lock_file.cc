#include "master/lock_file.h"


#include <fmt/format.h>

#include "sys/file.h"

namespace postrider::master {

Result<LockFile> LockFile::acquire(const std::string& path) {
  auto fd = sys::open_file(path, O_RDWR | O_CREAT, 0644);
  if (!fd) return std::unexpected(std::move(fd).error());
  if (auto locked = sys::flock_exclusive(fd->get(), /*wait=*/false); !locked) {
    return fail(locked.error().kind, fmt::format("open lock file {}: unable to set exclusive lock: {}", path,
                                                 locked.error().kind == ErrorKind::temporary
                                                     ? "Resource temporarily unavailable"
                                                     : locked.error().text));
  }
  return LockFile(std::move(*fd));
}

Result<void> LockFile::write_pid(pid_t pid) {
  TRY(sys::truncate_fd(fd_.get(), 0));
  return sys::write_all(fd_.get(), fmt::format("{:>32}\n", pid));
}

}  // namespace postrider::master

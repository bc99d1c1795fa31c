#include "service/lock_file.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/instance.h"
#include "sys/file.h"

namespace postrider::service {

Result<LockFile> LockFile::acquire(const std::string& path) {
  auto fd = sys::open_file(path, O_RDWR | O_CREAT, 0644);
  if (!fd) return std::unexpected(std::move(fd).error());
  if (auto locked = sys::flock_exclusive(fd->get(), /*wait=*/false); !locked) {
    return fail(locked.error().kind,
                fmt::format("open lock file {}: unable to set exclusive lock: {}", path,
                            locked.error().kind == ErrorKind::temporary ? "Resource temporarily unavailable"
                                                                        : locked.error().text));
  }
  return LockFile(std::move(*fd));
}

Result<void> LockFile::write_pid(pid_t pid) {
  TRY(sys::truncate_fd(fd_.get(), 0));
  return sys::write_all(fd_.get(), fmt::format("{:>32}\n", pid));
}

std::string master_pid_path(const config::Config& config) {
  std::string directory = config.get(config::params::process_id_directory);
  if (!directory.starts_with('/')) directory = config.get(config::params::queue_directory) + "/" + directory;
  return directory + "/master.pid";
}

Result<std::optional<pid_t>> running_master(const config::Config& config) {
  std::string path = master_pid_path(config);
  auto fd = sys::open_file(path, O_RDONLY);
  if (!fd) {
    if (fd.error().code == ENOENT) return std::nullopt;
    return std::unexpected(std::move(fd).error());
  }
  auto locked = sys::flock_shared(fd->get(), /*wait=*/false);
  if (locked) return std::nullopt;
  if (locked.error().kind != ErrorKind::temporary) return std::unexpected(std::move(locked).error());
  std::string text = TRY(sys::read_all(fd->get(), 1000));
  auto pid = parse_int(trim(text));
  if (!pid || *pid <= 1) return fail(ErrorKind::invalid, fmt::format("{}: no process id in it", path));
  return static_cast<pid_t>(*pid);
}

}  // namespace postrider::service

#include "sys/file.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "sys/random.h"

namespace postrider::sys {

namespace {

std::unexpected<Error> fail_path(const char* operation, const std::string& path) {
  return fail_errno(fmt::format("{} {}", operation, path));
}

Result<void> lock(int fd, short type, bool wait) {
  struct flock request{};
  request.l_type = type;
  request.l_whence = SEEK_SET;
#ifdef F_OFD_SETLK
  // Of the open file, where the system has that: a lock of the process would go with the first of its
  // descriptors for this file that is closed.
  const int command = wait ? F_OFD_SETLKW : F_OFD_SETLK;
#else
  const int command = wait ? F_SETLKW : F_SETLK;
#endif
  while (fcntl(fd, command, &request) < 0) {
    if (errno == EINTR) continue;
    if (!wait && (errno == EAGAIN || errno == EACCES))
      return fail(ErrorKind::temporary, "locked by another process");
    return fail_errno("lock");
  }
  return {};
}

Result<void> flock_with(int fd, int operation, bool wait) {
  while (::flock(fd, wait ? operation : operation | LOCK_NB) < 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return fail(ErrorKind::temporary, "locked by another process");
    return fail_errno("lock");
  }
  return {};
}

}  // namespace

Result<Fd> open_file(const std::string& path, int flags, mode_t mode) {
  for (;;) {
    int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return Fd(fd);
    if (errno != EINTR) return fail_path("open", path);
  }
}

Result<Fd> make_unnamed_file(const std::string& directory) {
#ifdef O_TMPFILE
  auto unnamed = open_file(directory, O_TMPFILE | O_RDWR, 0600);
  if (unnamed || (unnamed.error().code != EOPNOTSUPP && unnamed.error().code != EISDIR)) return unnamed;
#endif
  std::string path = fmt::format("{}/{:016x}.tmp", directory, random_u64());
  Fd file = TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  if (::unlink(path.c_str()) != 0) return fail_path("remove", path);
  return file;
}

Result<std::string> read_file(const std::string& path, size_t max) {
  Fd fd = TRY(open_file(path, O_RDONLY));
  auto content = read_all(fd.get(), max);
  if (!content) {
    if (content.error().kind == ErrorKind::system)
      return std::unexpected(Error::from_errno("read " + path, content.error().code));
    content.error().text = fmt::format("read {}: {}", path, content.error().text);
    return std::unexpected(std::move(content).error());
  }
  return content;
}

Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = fmt::format("{}.tmp.{}", path, getpid());
  Fd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode));
  auto written = [&]() -> Result<void> {
    if (fchmod(fd.get(), mode) < 0) return fail_path("chmod", temporary);
    TRY(write_all(fd.get(), content));
    TRY(sync_fd(fd.get()));
    TRY(rename_file(temporary, path));
    return sync_directory(directory_of(path));
  }();
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<struct stat> stat_file(const std::string& path) {
  struct stat st{};
  if (::stat(path.c_str(), &st) < 0) return fail_path("stat", path);
  return st;
}

Result<struct stat> stat_fd(int fd) {
  struct stat st{};
  if (::fstat(fd, &st) < 0) return fail_errno("fstat");
  return st;
}

Result<struct stat> lstat_file(const std::string& path) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) < 0) return fail_path("lstat", path);
  return st;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<void> truncate_fd(int fd, off_t size) {
  if (::ftruncate(fd, size) < 0) return fail_errno("truncate");
  return {};
}

Result<void> copy_ownership(int fd, const struct stat& model) {
  // The mode goes last: a change of the owner can clear bits of it.
  if (::fchown(fd, model.st_uid, model.st_gid) < 0 && errno != EPERM) return fail_errno("chown");
  if (::fchmod(fd, model.st_mode & 07777) < 0) return fail_errno("chmod");
  return {};
}

Result<std::string> real_path(const std::string& path) {
  std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), ::free);
  if (!resolved) return fail_path("resolve", path);
  return std::string(resolved.get());
}

Result<std::string> make_private_directory() {
  const char* base = ::getenv("TMPDIR");
  std::string path = fmt::format("{}/postrider.XXXXXX", base == nullptr || *base != '/' ? "/tmp" : base);
  if (::mkdtemp(path.data()) == nullptr) return fail_path("mkdir", path);
  return path;
}

Result<void> remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) < 0) return fail_path("remove", path);
  return {};
}

Result<void> link_file(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) < 0) return fail_errno(fmt::format("link {} to {}", from, to));
  return {};
}

Result<void> set_mode(int fd, mode_t mode) {
  if (::fchmod(fd, mode) < 0) return fail_errno("chmod");
  return {};
}

Result<void> set_owner(int fd, uid_t uid, gid_t gid) {
  if (::fchown(fd, uid, gid) < 0) return fail_errno("chown");
  return {};
}

bool can_access(const std::string& path, int wanted) {
  return ::faccessat(AT_FDCWD, path.c_str(), wanted, AT_EACCESS) == 0;
}

Result<void> change_directory(const std::string& path) {
  if (::chdir(path.c_str()) < 0) return fail_path("chdir", path);
  return {};
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) < 0) return fail_errno(fmt::format("rename {} to {}", from, to));
  return {};
}

Result<void> rename_new_file(const std::string& from, const std::string& to) {
#ifdef RENAME_NOREPLACE
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  // Some file systems do not know the flag; there a hard link does the same in two steps.
  if (errno != EINVAL && errno != ENOSYS) return fail_errno(fmt::format("rename {} to {}", from, to));
#endif
  if (::link(from.c_str(), to.c_str()) < 0) return fail_errno(fmt::format("rename {} to {}", from, to));
  return unlink_file(from);
}

Result<uint64_t> free_space(const std::string& path) {
  struct statvfs status;
  if (::statvfs(path.c_str(), &status) < 0) return fail_errno(path);
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<void> unlink_file(const std::string& path) {
  if (::unlink(path.c_str()) < 0) return fail_path("remove", path);
  return {};
}

Result<void> make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) < 0) return fail_path("mkdir", path);
  return {};
}

Result<void> change_mode(const std::string& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) < 0) return fail_path("chmod", path);
  return {};
}

Result<void> change_owner(const std::string& path, uid_t uid, gid_t gid) {
  if (::chown(path.c_str(), uid, gid) < 0) return fail_path("chown", path);
  return {};
}

Result<void> make_fifo(const std::string& path, mode_t mode) {
  if (::mkfifo(path.c_str(), mode) < 0 && errno != EEXIST) return fail_path("mkfifo", path);
  if (::chmod(path.c_str(), mode) < 0) return fail_path("chmod", path);
  return {};
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  for (size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    std::string part = path.substr(0, at);
    if (!part.empty() && ::mkdir(part.c_str(), mode) < 0 && errno != EEXIST) return fail_path("mkdir", part);
  }
  return {};
}

Result<void> sync_fd(int fd) {
  if (::fsync(fd) < 0) return fail_errno("fsync");
  return {};
}

Result<void> sync_directory(const std::string& path) {
  Fd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) < 0) return fail_path("fsync", path);
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
  if (!dir) return fail_path("open directory", path);
  std::vector<std::string> out;
  for (;;) {
    errno = 0;
    dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return fail_path("read directory", path);
      return out;
    }
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
}

std::string directory_of(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string_view base_name(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<void> lock_exclusive(int fd, bool wait) {
  return lock(fd, F_WRLCK, wait);
}
Result<void> lock_shared(int fd, bool wait) {
  return lock(fd, F_RDLCK, wait);
}
Result<void> unlock(int fd) {
  return lock(fd, F_UNLCK, false);
}

Result<void> flock_exclusive(int fd, bool wait) {
  return flock_with(fd, LOCK_EX, wait);
}
Result<void> flock_shared(int fd, bool wait) {
  return flock_with(fd, LOCK_SH, wait);
}
Result<void> flock_release(int fd) {
  return flock_with(fd, LOCK_UN, true);
}

}  // namespace postrider::sys

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "queue/files.h"
#include "sys/fd.h"
#include "sys/file.h"

namespace postrider::queue {

namespace {

FileStatus from_stat(const struct stat& st) {
  FileStatus status;
  status.type = S_ISREG(st.st_mode)   ? FileType::regular
                : S_ISDIR(st.st_mode) ? FileType::directory
                                      : FileType::other;
  status.inode = st.st_ino;
  status.links = st.st_nlink;
  status.size = static_cast<uint64_t>(st.st_size);
  status.mode = st.st_mode & 07777;
  status.owner = st.st_uid;
  status.modified = st.st_mtime;
  status.changed = st.st_ctime;
  return status;
}

class SystemFile final : public File {
 public:
  SystemFile(sys::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
    size_t done = 0;
    while (done < size) {
      ssize_t n = ::pread(fd_.get(), data + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("read");
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Result<void> write_at(uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      ssize_t n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("write");
      data.remove_prefix(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return {};
  }

  Result<void> truncate(uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) < 0) return failed("truncate");
    return {};
  }

  Result<void> set_mode(mode_t mode) override {
    if (::fchmod(fd_.get(), mode) < 0) return failed("chmod");
    return {};
  }

  Result<void> set_time(int64_t seconds) override {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    if (::futimens(fd_.get(), times) < 0) return failed("set time of");
    return {};
  }

  Result<FileStatus> status() override {
    struct stat st{};
    if (::fstat(fd_.get(), &st) < 0) return failed("stat");
    return from_stat(st);
  }

  Result<void> sync() override {
    auto synced = sys::sync_fd(fd_.get());
    if (!synced) return std::unexpected(Error::from_errno("sync " + path_, synced.error().code));
    return synced;
  }

  Result<void> lock_exclusive(bool wait) override { return lock(LOCK_EX, wait); }
  Result<void> lock_shared(bool wait) override { return lock(LOCK_SH, wait); }

 private:
  std::unexpected<Error> failed(const char* operation) {
    return fail_errno(fmt::format("{} {}", operation, path_));
  }

  Result<void> lock(int operation, bool wait) {
    while (::flock(fd_.get(), wait ? operation : operation | LOCK_NB) < 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return fail(ErrorKind::temporary, path_ + " is locked");
      return failed("lock");
    }
    return {};
  }

  sys::Fd fd_;
  std::string path_;
};

class SystemDirectory final : public Directory {
 public:
  SystemDirectory(DIR* directory, std::string path) : directory_(directory), path_(std::move(path)) {}
  ~SystemDirectory() override { ::closedir(directory_); }
  SystemDirectory(const SystemDirectory&) = delete;
  SystemDirectory& operator=(const SystemDirectory&) = delete;

  Result<std::optional<std::string>> next() override {
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(directory_);
      if (entry == nullptr && errno != 0) return fail_errno("read directory " + path_);
      if (entry == nullptr) return std::nullopt;
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) return entry->d_name;
    }
  }

 private:
  DIR* directory_;
  std::string path_;
};

class SystemFiles final : public Files {
 public:
  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = mode == OpenMode::read ? O_RDONLY : mode == OpenMode::append ? O_RDWR | O_CREAT : O_RDWR;
    // A named pipe or a device planted in a queue directory must not make the opener wait.
    sys::Fd fd = TRY(sys::open_file(path, flags | O_NOFOLLOW | O_NONBLOCK, 0600));
    return std::make_shared<SystemFile>(std::move(fd), path);
  }

  Result<std::shared_ptr<File>> create(const std::string& path, mode_t mode) override {
    sys::Fd fd = TRY(sys::open_file(path, O_RDWR | O_CREAT | O_EXCL, mode));
    return std::make_shared<SystemFile>(std::move(fd), path);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    return sys::rename_file(from, to);
  }
  Result<void> rename_new(const std::string& from, const std::string& to) override {
    return sys::rename_new_file(from, to);
  }

  Result<void> link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) < 0) return fail_errno(fmt::format("link {} to {}", from, to));
    return {};
  }
  Result<void> unlink(const std::string& path) override { return sys::unlink_file(path); }

  Result<void> set_mode(const std::string& path, mode_t mode) override {
    if (::chmod(path.c_str(), mode) < 0) return fail_errno("chmod " + path);
    return {};
  }

  Result<void> set_time(const std::string& path, int64_t seconds) override {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    if (::utimensat(AT_FDCWD, path.c_str(), times, 0) < 0) return fail_errno("set time of " + path);
    return {};
  }

  Result<FileStatus> status(const std::string& path) override { return from_stat(TRY(sys::lstat_file(path))); }

  Result<void> make_directory(const std::string& path, mode_t mode) override {
    return sys::make_directory(path, mode);
  }
  Result<void> remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) < 0) return fail_errno("remove directory " + path);
    return {};
  }

  Result<std::unique_ptr<Directory>> open_directory(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return fail_errno("open directory " + path);
    return std::make_unique<SystemDirectory>(directory, path);
  }

  Result<void> sync_directory(const std::string& path) override { return sys::sync_directory(path); }
};

}  // namespace

Files& system_files() {
  static SystemFiles files;
  return files;
}

bool is_disk_full(const Error& error) {
  return error.kind == ErrorKind::system && (error.code == ENOSPC || error.code == EDQUOT);
}

bool is_missing(const Error& error) {
  return error.kind == ErrorKind::system && error.code == ENOENT;
}

bool already_exists(const Error& error) {
  return error.kind == ErrorKind::system && error.code == EEXIST;
}

}  // namespace postrider::queue

#include "table/watched_file.h"

#include <ctime>
#include <thread>

#include "sys/file.h"

namespace postrider::table {

namespace {

// How often a file that somebody keeps writing to is read again before what was read is taken as it is.
constexpr int kMaxAttempts = 20;
constexpr auto kPause = std::chrono::milliseconds(300);

}  // namespace

FileStamp FileStamp::of(const struct stat& st) {
  return {.device = st.st_dev, .inode = st.st_ino, .size = st.st_size, .modified = st.st_mtim};
}

bool FileStamp::operator==(const FileStamp& other) const {
  return device == other.device && inode == other.inode && size == other.size &&
         modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
}

WatchedFile::WatchedFile(std::string path, sys::Fd fd, const FileStamp& stamp)
    : path_(std::move(path)), fd_(std::move(fd)), stamp_(stamp) {
  postpone();
}

bool WatchedFile::check_changed() {
  if (!fd_ || Clock::now() < next_look_) return false;
  postpone();
  return has_changed();
}

bool WatchedFile::has_changed() const {
  auto opened = sys::stat_fd(fd_.get());
  if (!opened || opened->st_nlink == 0 || !(FileStamp::of(*opened) == stamp_)) return true;
  auto named = sys::stat_file(path_);
  return named && (named->st_dev != stamp_.device || named->st_ino != stamp_.inode);
}

bool recently_modified(const struct stat& st) {
  time_t now = time(nullptr);
  return st.st_mtime >= now - 1 && st.st_mtime <= now;
}

Result<Snapshot> read_snapshot(const std::string& path, size_t max, bool settle,
                               const SnapshotErrors& errors) {
  auto failed = [](const std::string& what, const Error& error) {
    if (error.kind == ErrorKind::system) return std::unexpected(Error::from_errno(what, error.code));
    return std::unexpected(Error(error.kind, what + ": " + error.text));
  };
  for (int attempt = 1;; ++attempt) {
    Snapshot out;
    auto fd = sys::open_file(path, O_RDONLY);
    if (!fd) return failed(errors.open, fd.error());
    out.fd = std::move(*fd);
    auto before = sys::stat_fd(out.fd.get());
    if (!before) return failed(errors.read, before.error());
    auto content = sys::read_all(out.fd.get(), max);
    if (!content) return failed(errors.read, content.error());
    auto after = sys::stat_fd(out.fd.get());
    if (!after) return failed(errors.read, after.error());
    out.content = std::move(*content);
    out.stamp = FileStamp::of(*after);
    out.owner = after->st_uid;
    bool written = S_ISREG(after->st_mode) && !(FileStamp::of(*before) == out.stamp);
    if ((!written && !(settle && recently_modified(*after))) || attempt == kMaxAttempts) return out;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace postrider::table

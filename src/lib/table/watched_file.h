// Noticing that a file has other content than what was read from it.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "sys/fd.h"

namespace postrider::table {

/// What tells one state of a file from another.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec modified{};

  static FileStamp of(const struct stat& st);
  bool operator==(const FileStamp& other) const;
};

/// Keeps a file open, and looks at most once a second whether it has been written to, or whether another file
/// has taken its name. A process that can no longer see the name (in another root directory, say) still
/// notices both by the open file.
class WatchedFile {
 public:
  WatchedFile() = default;
  WatchedFile(std::string path, sys::Fd fd, const FileStamp& stamp);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  const FileStamp& stamp() const { return stamp_; }
  /// What the file is to be compared with from now on.
  void set_stamp(const FileStamp& stamp) { stamp_ = stamp; }

  /// Whether the content changed; false without a look when the last look was less than a second ago.
  bool check_changed();
  /// As check_changed(), at once.
  bool has_changed() const;
  /// Lets a second pass before the next look, whatever that would find.
  void postpone() { next_look_ = Clock::now() + std::chrono::seconds(1); }

 private:
  std::string path_;
  sys::Fd fd_;
  FileStamp stamp_;
  Clock::time_point next_look_{};
};

/// A file's content together with the state it was read in. Reads again when the file was written to
/// meanwhile.
struct Snapshot {
  std::string content;
  sys::Fd fd;
  FileStamp stamp;
  uid_t owner = 0;
};
/// How the errors of read_snapshot() begin; ": reason" follows.
struct SnapshotErrors {
  std::string open, read;
};
/// `settle` waits until the file has not been written to for a second, so that a half-written file is not
/// taken for a whole one; may block.
Result<Snapshot> read_snapshot(const std::string& path, size_t max, bool settle,
                               const SnapshotErrors& errors);
/// Whether the file may be in the middle of being written.
bool recently_modified(const struct stat& st);

}  // namespace postrider::table

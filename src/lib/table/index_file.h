// Replacing the file of an index so that readers see the old or the new content, never a part.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "sys/fd.h"
#include "table/watched_file.h"

namespace postrider::table {

/// Where a new index is built, and how it takes the place of the old one. It is built beside the old one and
/// renamed. Where the directory does not allow that (postmap acts as the owner of the source, who may own the
/// index but not the directory), it is built among temporary files, and the old file is overwritten under the
/// lock that its readers honour.
class IndexFile {
 public:
  /// The locks that Postfix takes: flock(2) on Berkeley DB files, fcntl(2) on LMDB files.
  enum class Lock : unsigned char { flock, fcntl };

  /// The file `target` must be writable, or not exist. `mode` is for a file that does not exist.
  static Result<IndexFile> begin(std::string target, mode_t mode, Lock lock);
  IndexFile(IndexFile&& other) noexcept;
  IndexFile& operator=(IndexFile&&) = delete;
  ~IndexFile();

  /// Where to build.
  const std::string& path() const { return path_; }

  /// Puts the new index in place; it must be complete, and closed. ErrorKind::temporary when the old one is
  /// not as it was at begin(). `overwrite` brings the new content into the old file where that cannot be
  /// renamed over; the default copies the bytes.
  using Overwrite = std::function<Result<void>(const std::string& from, const std::string& to, int to_fd)>;
  Result<void> publish(const Overwrite& overwrite = {});

 private:
  IndexFile(std::string target, mode_t mode, Lock lock)
      : target_(std::move(target)), mode_(mode), lock_(lock) {}
  Result<void> choose_place();
  Result<void> check_unchanged() const;
  Result<void> rename_over();
  Result<void> create_new();

  std::string target_;  // Symbolic links resolved.
  mode_t mode_;
  Lock lock_;
  sys::Fd old_;  // Open for reading and writing, when the target exists.
  FileStamp old_stamp_;
  std::string path_;
  std::string directory_;  // Of our own, to be removed; empty when built beside the target.
};

}  // namespace postrider::table

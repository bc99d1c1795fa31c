// The queue's directories: where a file of an id is, new files, moves, scans.
//
// A file moves through the queues by rename alone, so it is in one of them at any time, also after a crash.
// While it is being written its mode is 0600; execute permission for the owner says that it is complete.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "queue/files.h"
#include "queue/id.h"

namespace postrider::queue {

enum class QueueName : unsigned char {
  maildrop,  ///< Local submissions, as the sender's command wrote them.
  incoming,  ///< Complete messages that the queue manager has not seen yet, and those being written.
  active,    ///< Being delivered.
  deferred,  ///< To be tried again; the modification time is the time of the next try.
  hold,      ///< Kept until the administrator decides.
  corrupt,   ///< Damaged files.
  defer,     ///< Delivery logs: why recipients are deferred, by queue id; and likewise:
  bounce,    ///< recipients that failed,
  trace,     ///< recipients whose delivery is to be reported.
  flush,     ///< Queue ids by destination.
  saved,     ///< Delivery logs that the administrator wants to keep.
};

std::string_view queue_name(QueueName queue);
std::optional<QueueName> find_queue(std::string_view name);

/// The file's owner may execute it: the message is complete. This is its whole mode.
inline constexpr mode_t kCompleteMode = 0700;
inline constexpr mode_t kIncompleteMode = 0600;
/// Added to the mode: the message is to be returned at the next delivery attempt.
inline constexpr mode_t kExpiredMode = 0010;

/// Added to the mode: the message is to be tried whatever is known against its destinations (postqueue -i,
/// ETRN).
inline constexpr mode_t kFlushMode = 0040;

/// Whether status() says that the message is complete, and whether it is to be returned.
inline bool is_complete(const FileStatus& status) {
  return (status.mode & kCompleteMode) == kCompleteMode;
}
inline bool is_expired(const FileStatus& status) {
  return (status.mode & kExpiredMode) != 0;
}
inline bool is_flushed(const FileStatus& status) {
  return (status.mode & kFlushMode) != 0;
}

/// What of the configuration decides where files are.
struct Layout {
  std::string directory;            ///< queue_directory; empty: the working directory.
  std::vector<std::string> hashed;  ///< hash_queue_names.
  int hash_depth = 1;               ///< hash_queue_depth.
  bool long_ids = false;            ///< enable_long_queue_ids.
  bool keep_removed = false;        ///< dont_remove: what would be removed goes into saved/.
};

/// A file that was just created under a new id.
struct NewFile {
  std::string id;
  std::string path;
  std::shared_ptr<File> file;
  CreationTime created;
};

/// Goes through the files of one queue, subdirectories included. Holds its place between calls; files that
/// come and go meanwhile may be seen or missed.
class Scan {
 public:
  struct Entry {
    std::string name;
    std::string path;  ///< Where the name was found, right or wrong.
  };

  Scan(Files& files, std::string directory);

  /// The next file; nothing at the end. Names of one character are subdirectories. A name need not be a valid
  /// id.
  Result<std::optional<Entry>> next();

 private:
  struct Level {
    std::string path;
    std::unique_ptr<Directory> directory;
  };
  Files& files_;
  std::string top_;
  bool opened_ = false;
  std::vector<Level> levels_;
};

/// The queue directories. Thread-safe as far as Files is; ids must be valid.
class Store {
 public:
  Store(Files& files, Layout layout) : files_(files), layout_(std::move(layout)) {}

  Files& files() const { return files_; }
  const Layout& layout() const { return layout_; }

  std::string directory(QueueName queue) const;
  /// Where the file of this id belongs, whether it exists or not.
  std::string path(QueueName queue, std::string_view id) const;

  /// A new file of mode 0600 under a new id. When `new_directories` is given, directories that had to be made
  /// on the way are added to it.
  Result<NewFile> create(QueueName queue, std::vector<std::string>* new_directories = nullptr) const;
  Result<std::shared_ptr<File>> open(QueueName queue, std::string_view id, OpenMode mode,
                                     std::vector<std::string>* new_directories = nullptr) const;
  Result<FileStatus> status(QueueName queue, std::string_view id) const;
  /// ENOENT when the file is not in `from`.
  Result<void> move(std::string_view id, QueueName from, QueueName to,
                    std::vector<std::string>* new_directories = nullptr) const;
  /// With Layout::keep_removed the file becomes saved/<id>, with a "+" for each one of that name that is
  /// there.
  Result<void> remove(QueueName queue, std::string_view id) const;
  /// The same for a file that need not be where its name belongs.
  Result<void> remove_file(const std::string& path, std::string_view name) const;
  /// Renames a file, and makes the directories above its new name when they are missing.
  Result<void> rename(const std::string& from, const std::string& to,
                      std::vector<std::string>* new_directories = nullptr) const {
    return rename_to(from, to, true, new_directories);
  }
  bool is_hashed(QueueName queue) const;
  /// Sets the time before which the queue manager leaves the file alone.
  Result<void> set_next_try(QueueName queue, std::string_view id, int64_t when) const;

  Scan scan(QueueName queue) const { return Scan(files_, directory(queue)); }

  /// Makes the directories above `path` that do not exist.
  Result<void> make_parents(const std::string& path,
                            std::vector<std::string>* new_directories = nullptr) const;

 private:
  Result<void> rename_to(const std::string& from, const std::string& to, bool replace,
                         std::vector<std::string>* new_directories) const;

  Files& files_;
  Layout layout_;
};

}  // namespace postrider::queue

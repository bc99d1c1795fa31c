// The thin layer that every file operation of the queue goes through, so that tests can stand in for the
// disk.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::queue {

/// Where bytes are read from: a file, a pipe that is read in order, or memory in tests.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to `size` bytes at `offset`; 0 only at the end.
  virtual Result<size_t> read_at(uint64_t offset, char* data, size_t size) = 0;
};

enum class FileType : unsigned char { regular, directory, other };

struct FileStatus {
  FileType type = FileType::regular;
  uint64_t inode = 0;
  uint64_t links = 1;
  uint64_t size = 0;
  mode_t mode = 0;  ///< Permission bits only.
  uid_t owner = 0;
  int64_t modified = 0;  ///< Seconds since 1970.
  int64_t changed = 0;   ///< Of the inode: moved, linked, mode changed.
};

/// An open file. Calls block; sync() may run on another thread than the rest, and the object is then shared.
class File : public ByteSource {
 public:
  /// Writes all of `data` at `offset`, or fails with some of it written.
  virtual Result<void> write_at(uint64_t offset, std::string_view data) = 0;
  virtual Result<void> truncate(uint64_t size) = 0;
  virtual Result<void> set_mode(mode_t mode) = 0;
  /// Access and modification time.
  virtual Result<void> set_time(int64_t seconds) = 0;
  virtual Result<FileStatus> status() = 0;
  /// Content and attributes are on disk when this has returned. Does not cover the name of a new file.
  virtual Result<void> sync() = 0;

  /// The lock belongs to the open file, not to the process, and ends with it. ErrorKind::temporary when
  /// another holder is in the way and `wait` is false.
  virtual Result<void> lock_exclusive(bool wait) = 0;
  virtual Result<void> lock_shared(bool wait) = 0;
};

/// A directory being read.
class Directory {
 public:
  virtual ~Directory() = default;
  /// The next name but "." and "..", in no particular order; nothing at the end. Names that are added or
  /// removed meanwhile may be seen or missed.
  virtual Result<std::optional<std::string>> next() = 0;
};

enum class OpenMode : unsigned char {
  read,
  read_write,
  append,  ///< Read and write; created with mode 0600 when it does not exist.
};

/// A file system. Errors are ErrorKind::system with errno in Error::code.
class Files {
 public:
  virtual ~Files() = default;

  virtual Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// A new file for reading and writing; EEXIST when the name is taken.
  virtual Result<std::shared_ptr<File>> create(const std::string& path, mode_t mode) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// As rename(), but EEXIST when `to` exists.
  virtual Result<void> rename_new(const std::string& from, const std::string& to) = 0;
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  virtual Result<void> unlink(const std::string& path) = 0;
  virtual Result<void> set_mode(const std::string& path, mode_t mode) = 0;
  virtual Result<void> set_time(const std::string& path, int64_t seconds) = 0;
  /// Of the file itself, also when it is a symbolic link.
  virtual Result<FileStatus> status(const std::string& path) = 0;
  virtual Result<void> make_directory(const std::string& path, mode_t mode) = 0;
  virtual Result<void> remove_directory(const std::string& path) = 0;
  virtual Result<std::unique_ptr<Directory>> open_directory(const std::string& path) = 0;
  /// The names in the directory are on disk when this has returned. Thread-safe.
  virtual Result<void> sync_directory(const std::string& path) = 0;
};

/// The file system of the machine. Thread-safe.
Files& system_files();

/// Whether an operation failed because the disk or the quota is full.
bool is_disk_full(const Error& error);
/// Whether an operation failed because the file does not exist.
bool is_missing(const Error& error);
bool already_exists(const Error& error);

}  // namespace postrider::queue

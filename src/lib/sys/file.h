// Files and directories. Paths are plain strings; errors name the path.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace postrider::sys {

/// open(2) with O_CLOEXEC. The error text is "open PATH: reason".
Result<Fd> open_file(const std::string& path, int flags, mode_t mode = 0);
/// A whole file; ErrorKind::limit beyond `max` bytes.
Result<std::string> read_file(const std::string& path, size_t max);
/// Writes a temporary file beside `path`, syncs it, renames it over `path` and syncs the directory, so that a
/// crash leaves the old or the new content.
Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode);

Result<struct stat> stat_file(const std::string& path);
Result<struct stat> stat_fd(int fd);
/// Does not follow a symbolic link at the end of the path.
Result<struct stat> lstat_file(const std::string& path);
bool exists(const std::string& path);
/// Whether the effective user and group of this process have all of the access `wanted`: R_OK, W_OK, X_OK.
bool can_access(const std::string& path, int wanted);

Result<void> truncate_fd(int fd, off_t size);
/// Gives an open file the mode of another, and its owner and group where the caller may.
Result<void> copy_ownership(int fd, const struct stat& model);

/// The path without symbolic links; the file must exist.
Result<std::string> real_path(const std::string& path);
/// A file in `directory`, open for reading and writing, that has no name and goes with its last descriptor.
Result<Fd> make_unnamed_file(const std::string& directory);
/// A new directory for this process alone, in $TMPDIR or /tmp.
Result<std::string> make_private_directory();
Result<void> remove_directory(const std::string& path);
/// A second name for a file; code EEXIST when `to` exists.
Result<void> link_file(const std::string& from, const std::string& to);
Result<void> set_mode(int fd, mode_t mode);
Result<void> set_owner(int fd, uid_t uid, gid_t gid);

/// chdir(2).
Result<void> change_directory(const std::string& path);

Result<void> rename_file(const std::string& from, const std::string& to);
/// As rename_file(), but fails with EEXIST when `to` exists.
Result<void> rename_new_file(const std::string& from, const std::string& to);
/// Bytes that this process can still write to the file system of a path.
Result<uint64_t> free_space(const std::string& path);
Result<void> unlink_file(const std::string& path);
Result<void> make_directory(const std::string& path, mode_t mode);
Result<void> change_mode(const std::string& path, mode_t mode);
Result<void> change_owner(const std::string& path, uid_t uid, gid_t gid);
/// A named pipe of this mode; an existing one gets the mode.
Result<void> make_fifo(const std::string& path, mode_t mode);
/// As `mkdir -p`; existing directories are left as they are.
Result<void> make_directories(const std::string& path, mode_t mode);
Result<void> sync_fd(int fd);
Result<void> sync_directory(const std::string& path);

/// Names in a directory without "." and "..", in the order of the directory.
Result<std::vector<std::string>> list_directory(const std::string& path);

/// The part before the last '/', "." when there is none; and the part behind it.
std::string directory_of(const std::string& path);
std::string_view base_name(std::string_view path);

/// An exclusive advisory lock on the whole file (fcntl). With wait = false ErrorKind::temporary when another
/// process holds it.
Result<void> lock_exclusive(int fd, bool wait);
Result<void> lock_shared(int fd, bool wait);
Result<void> unlock(int fd);

/// Advisory locks of flock(2), which belong to the open file and not to the process. Errors as above.
Result<void> flock_exclusive(int fd, bool wait);
Result<void> flock_shared(int fd, bool wait);
Result<void> flock_release(int fd);

}  // namespace postrider::sys

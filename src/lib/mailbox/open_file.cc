#include "mailbox/open_file.h"

#include <fcntl.h>

#include <cerrno>

#include <fmt/format.h>

#include "log/log.h"
#include "mailbox/failure.h"
#include "sys/file.h"

namespace postrider::mailbox {

namespace {

constexpr int kFlags = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK;
constexpr mode_t kNewMode = 0600;

std::unexpected<Error> refused(std::string reason) {
  return std::unexpected(Error(ErrorKind::denied, EPERM, std::move(reason)));
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_nlink == b.st_nlink && a.st_mode == b.st_mode;
}

/// Root's link in a directory that only root can change: nobody else chose where it leads.
bool is_trusted_link(const std::string& path, const struct stat& link) {
  if (link.st_uid != 0) return false;
  auto parent = sys::stat_file(sys::directory_of(path));
  return parent && parent->st_uid == 0 && (parent->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Result<OpenFile> open_existing(const std::string& path) {
  OpenFile out;
  auto fd = sys::open_file(path, kFlags);
  if (!fd) {
    int code = fd.error().code;
    return std::unexpected(Error(ErrorKind::system, code, "cannot open file: " + errno_text(code)));
  }
  out.fd = std::move(*fd);
  out.status = TRY(sys::stat_fd(out.fd.get()));
  if (out.status.st_nlink != 1) return refused(fmt::format("file has {} hard links", out.status.st_nlink));
  if (S_ISDIR(out.status.st_mode)) {
    return std::unexpected(Error(ErrorKind::system, EISDIR, "file is a directory"));
  }
  auto named = sys::lstat_file(path);
  if (!named) return refused("file status changed unexpectedly: " + errno_text(named.error().code));
  if (S_ISLNK(named->st_mode)) {
    if (!is_trusted_link(path, *named)) return refused("file is a symbolic link");
  } else if (!same_file(*named, out.status)) {
    return refused("file status changed unexpectedly");
  }
  return out;
}

Result<OpenFile> create(const std::string& path, std::optional<Identity> owner) {
  OpenFile out;
  out.created = true;
  auto fd = sys::open_file(path, kFlags | O_CREAT | O_EXCL, kNewMode);
  if (!fd) {
    int code = fd.error().code;
    return std::unexpected(
        Error(ErrorKind::system, code, "cannot create file exclusively: " + errno_text(code)));
  }
  out.fd = std::move(*fd);
  if (owner) {
    auto given = sys::set_owner(out.fd.get(), owner->uid, owner->gid);
    if (!given) log::warning("{}: cannot change file ownership: {}", path, errno_text(given.error().code));
  }
  out.status = TRY(sys::stat_fd(out.fd.get()));
  return out;
}

}  // namespace

Result<OpenFile> open_to_append(const std::string& path, std::optional<Identity> owner) {
  auto file = open_existing(path);
  if (!file && file.error().code == ENOENT) {
    file = create(path, owner);
    // Somebody else made it just now.
    if (!file && file.error().code == EEXIST) file = open_existing(path);
  }
  if (file) TRY(sys::set_nonblocking(file->fd.get(), false));
  return file;
}

}  // namespace postrider::mailbox

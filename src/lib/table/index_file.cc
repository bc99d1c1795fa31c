#include "table/index_file.h"

#include <cerrno>

#include <fmt/format.h>

#include "sys/file.h"
#include "sys/process.h"

namespace postrider::table {

namespace {

std::unexpected<Error> changed_meanwhile(const std::string& path) {
  return fail(ErrorKind::temporary, fmt::format("{} was changed by another process", path));
}

/// `to` has not been read from: it stands at its beginning.
Result<void> copy_bytes(const std::string& from, const std::string&, int to) {
  sys::Fd source = TRY(sys::open_file(from, O_RDONLY));
  std::string buffer(256 * 1024, '\0');
  off_t size = 0;
  for (;;) {
    size_t count = TRY(sys::read_some(source.get(), buffer.data(), buffer.size()));
    if (count == 0) break;
    TRY(sys::write_all(to, std::string_view(buffer).substr(0, count)));
    size += static_cast<off_t>(count);
  }
  TRY(sys::truncate_fd(to, size));
  return sys::sync_fd(to);
}

}  // namespace

IndexFile::IndexFile(IndexFile&& other) noexcept
    : target_(std::move(other.target_)),
      mode_(other.mode_),
      lock_(other.lock_),
      old_(std::move(other.old_)),
      old_stamp_(other.old_stamp_),
      path_(std::exchange(other.path_, {})),
      directory_(std::exchange(other.directory_, {})) {}

IndexFile::~IndexFile() {
  if (!path_.empty()) (void)sys::unlink_file(path_);
  if (!directory_.empty()) (void)sys::remove_directory(directory_);
}

Result<IndexFile> IndexFile::begin(std::string target, mode_t mode, Lock lock) {
  IndexFile out(std::move(target), mode, lock);
  if (auto resolved = sys::real_path(out.target_)) out.target_ = std::move(*resolved);
  auto old = sys::open_file(out.target_, O_RDWR);
  if (old) {
    out.old_ = std::move(*old);
    out.old_stamp_ = FileStamp::of(TRY(sys::stat_fd(out.old_.get())));
  } else if (old.error().code != ENOENT || sys::lstat_file(out.target_)) {
    return std::unexpected(std::move(old).error());
  }
  TRY(out.choose_place());
  return out;
}

Result<void> IndexFile::choose_place() {
  std::string beside = fmt::format("{}.tmp.{}", target_, sys::process_id());
  (void)sys::unlink_file(beside);  // Of a process that died.
  auto created = sys::open_file(beside, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (created) {
    path_ = std::move(beside);
    return {};
  }
  if (!old_) return std::unexpected(Error::from_errno("open " + target_, created.error().code));
  directory_ = TRY(sys::make_private_directory());
  path_ = directory_ + "/index";
  TRY(sys::open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600));
  return {};
}

Result<void> IndexFile::check_unchanged() const {
  auto named = sys::stat_file(target_);
  if (!named || !(FileStamp::of(*named) == old_stamp_)) return changed_meanwhile(target_);
  return {};
}

Result<void> IndexFile::rename_over() {
  struct stat old = TRY(sys::stat_fd(old_.get()));
  if (!directory_.empty() || old.st_nlink > 1) return fail(ErrorKind::denied, "not to be replaced");
  sys::Fd fd = TRY(sys::open_file(path_, O_RDWR));
  struct stat own = TRY(sys::stat_fd(fd.get()));
  if (own.st_uid != old.st_uid || own.st_gid != old.st_gid)
    TRY(sys::set_owner(fd.get(), old.st_uid, old.st_gid));
  TRY(sys::set_mode(fd.get(), old.st_mode & 07777));
  TRY(sys::sync_fd(fd.get()));
  TRY(sys::rename_file(path_, target_));
  path_.clear();
  (void)sys::sync_directory(sys::directory_of(target_));
  return {};
}

Result<void> IndexFile::create_new() {
  sys::Fd fd = TRY(sys::open_file(path_, O_RDWR));
  TRY(sys::set_mode(fd.get(), mode_));
  TRY(sys::sync_fd(fd.get()));
  auto linked = sys::link_file(path_, target_);
  if (!linked && linked.error().code == EEXIST) return changed_meanwhile(target_);
  // Not every file system has links; then the name is taken without looking.
  if (!linked) TRY(sys::rename_file(path_, target_));
  if (linked) TRY(sys::unlink_file(path_));
  path_.clear();
  (void)sys::sync_directory(sys::directory_of(target_));
  return {};
}

Result<void> IndexFile::publish(const Overwrite& overwrite) {
  if (!old_) return create_new();
  TRY(lock_ == Lock::flock ? sys::flock_exclusive(old_.get(), true) : sys::lock_exclusive(old_.get(), true));
  TRY(check_unchanged());
  if (rename_over()) return {};
  return (overwrite ? overwrite : copy_bytes)(path_, target_, old_.get());
}

}  // namespace postrider::table

#include "mailbox/lock.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <thread>

#include <fmt/format.h>

#include "config/value_text.h"
#include "mailbox/failure.h"
#include "sys/file.h"

namespace postrider::mailbox {

Result<LockMethods> parse_lock_methods(std::string_view parameter, std::string_view text) {
  static constexpr std::array<std::string_view, 3> kWords = {"flock", "fcntl", "dotlock"};
  uint32_t mask = TRY(config::parse_words(parameter, text, kWords));
  if (mask == 0) {
    return fail(ErrorKind::invalid,
                fmt::format("parameter {} specifies no applicable mailbox locking method", parameter));
  }
  return LockMethods{.flock = (mask & 1) != 0, .fcntl = (mask & 2) != 0, .dotlock = (mask & 4) != 0};
}

Result<DotLock> DotLock::take(const std::string& path, const LockPolicy& policy) {
  DotLock lock(path + ".lock");
  const std::string name = lock.name_;
  int reason = EEXIST;
  for (int attempt = 0; attempt < policy.attempts; ++attempt) {
    auto file = sys::open_file(name, O_WRONLY | O_CREAT | O_EXCL, 0);
    if (file) return lock;
    reason = file.error().code;
    if (reason != EEXIST) break;
    // The change time, not the modification time: nobody can make a lock look older than it is.
    auto status = sys::stat_file(name);
    if (status && time(nullptr) > status->st_ctime + policy.stale_time.count()) {
      auto removed = sys::unlink_file(name);
      if (removed || removed.error().code == ENOENT) continue;
    }
    std::this_thread::sleep_for(policy.delay);
  }
  lock.name_.clear();
  return std::unexpected(Error(ErrorKind::system, reason,
                               fmt::format("unable to create lock file {}: {}", name, errno_text(reason))));
}

DotLock::DotLock(DotLock&& other) noexcept : name_(std::exchange(other.name_, {})) {}

DotLock::~DotLock() {
  if (!name_.empty()) (void)sys::unlink_file(name_);
}

namespace {

Result<void> lock_once(int fd, const LockMethods& methods) {
  if (methods.flock) TRY(sys::flock_exclusive(fd, false));
  if (methods.fcntl) TRY(sys::lock_exclusive(fd, false));
  return {};
}

}  // namespace

Result<void> lock_file(int fd, const LockPolicy& policy) {
  for (int attempt = 0; attempt < policy.attempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(policy.delay);
    auto locked = lock_once(fd, policy.methods);
    if (locked) return {};
    if (locked.error().kind == ErrorKind::temporary) continue;
    return std::unexpected(Error(ErrorKind::system, locked.error().code,
                                 "unable to lock for exclusive access: " + errno_text(locked.error().code)));
  }
  return std::unexpected(
      Error(ErrorKind::system, EAGAIN, "unable to lock for exclusive access: " + errno_text(EAGAIN)));
}

}  // namespace postrider::mailbox

// Locks on mailbox files. All calls block, up to attempts times delay.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"

namespace postrider::mailbox {

/// The words of mailbox_delivery_lock and virtual_mailbox_lock.
struct LockMethods {
  bool flock = false;
  bool fcntl = false;
  bool dotlock = false;
  friend bool operator==(const LockMethods&, const LockMethods&) = default;
};

/// The error names the parameter and the word that is no method; no method at all is an error too.
Result<LockMethods> parse_lock_methods(std::string_view parameter, std::string_view text);

struct LockPolicy {
  LockMethods methods;
  int attempts = 20;        ///< deliver_lock_attempts
  seconds delay{1};         ///< deliver_lock_delay
  seconds stale_time{500};  ///< stale_lock_time
};

/// The file "PATH.lock", which says that somebody works on PATH. It is removed with the object, with the
/// identity that the process has then.
class DotLock {
 public:
  /// Code EEXIST when another holds it. A lock file older than stale_time is removed: its owner has gone.
  static Result<DotLock> take(const std::string& path, const LockPolicy& policy);
  DotLock(DotLock&& other) noexcept;
  DotLock& operator=(DotLock&&) = delete;
  ~DotLock();

 private:
  explicit DotLock(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

/// Locks an open file by fcntl and flock as the policy says; closing it unlocks. Code EAGAIN when another
/// holds a lock.
Result<void> lock_file(int fd, const LockPolicy& policy);

}  // namespace postrider::mailbox

// Users, groups and the identity of this process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace postrider::sys {

struct User {
  std::string name, full_name, home, shell;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string password;  ///< As the database has it, today mostly "x".
};
struct Group {
  std::string name;
  gid_t gid = 0;
  std::string password;
  std::vector<std::string> members;
};

/// Nothing when there is no such user; an error when the name service cannot answer. May block: call it
/// through io::offload() on an event loop.
Result<std::optional<User>> find_user(const std::string& name);
Result<std::optional<User>> find_user(uid_t uid);
Result<std::optional<Group>> find_group(const std::string& name);
Result<std::optional<Group>> find_group(gid_t gid);

/// Whom this process runs as.
struct Identity {
  uid_t real_uid = 0;
  uid_t uid = 0;  ///< Effective, as is gid.
  gid_t gid = 0;
};
Identity own_identity();

/// Gives up root for good: supplementary groups, group, then user; verified afterwards.
Result<void> become_user(uid_t uid, gid_t gid);

/// Effective identity for as long as the object lives; the one before comes back with its end. Needs root as
/// the real or effective user, but for the identity that the process has anyway. It is the identity of the
/// whole process, all its threads: only for processes that serve one client at a time. Failing to switch back
/// ends the process.
class AsUser {
 public:
  static Result<AsUser> enter(uid_t uid, gid_t gid);
  AsUser(AsUser&& other) noexcept;
  AsUser& operator=(AsUser&&) = delete;
  ~AsUser();

 private:
  AsUser() = default;
  Result<void> take_on(uid_t uid, gid_t gid);
  bool active_ = false;
  uid_t saved_uid_ = 0;
  gid_t saved_gid_ = 0;
};

}  // namespace postrider::sys

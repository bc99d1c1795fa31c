// The directories that the mail system needs.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>

#include "base/result.h"
#include "config/config.h"

namespace postrider::postfix {

/// Whom files belong to.
enum class Owner : unsigned char { root, mail_owner };
enum class GroupOwner : unsigned char { root, setgid };

/// A directory below the queue directory.
struct QueueDirectory {
  const char* name;
  mode_t mode;
  Owner owner;
  GroupOwner group;
};
std::span<const QueueDirectory> queue_directories();

/// The numbers behind mail_owner and setgid_group. Without root everything belongs to the caller.
struct Identities {
  std::string owner_name, setgid_name;
  uid_t owner = 0;
  gid_t owner_group = 0, setgid = 0;
  bool rootless = false;

  uid_t uid_of(Owner owner_kind) const { return owner_kind == Owner::root ? 0 : owner; }
  gid_t gid_of(GroupOwner group) const { return group == GroupOwner::root ? 0 : setgid; }
};
Result<Identities> identities_of(const config::Config& config);

/// Makes what is missing of the queue and data directories. What exists stays as it is.
Result<void> create_missing(const config::Config& config, const Identities& ids);

/// Gives a file or directory owner, group and mode; without root the mode alone.
Result<void> set_access(const std::string& path, uid_t uid, gid_t gid, mode_t mode, const Identities& ids);

}  // namespace postrider::postfix

#include "tools/postfix/queue_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "config/params/instance.h"
#include "config/startup.h"
#include "sys/file.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

constexpr QueueDirectory kQueueDirectories[] = {
    {"active", 0700, Owner::mail_owner, GroupOwner::root},
    {"bounce", 0700, Owner::mail_owner, GroupOwner::root},
    {"corrupt", 0700, Owner::mail_owner, GroupOwner::root},
    {"defer", 0700, Owner::mail_owner, GroupOwner::root},
    {"deferred", 0700, Owner::mail_owner, GroupOwner::root},
    {"flush", 0700, Owner::mail_owner, GroupOwner::root},
    {"hold", 0700, Owner::mail_owner, GroupOwner::root},
    {"incoming", 0700, Owner::mail_owner, GroupOwner::root},
    {"maildrop", 0730, Owner::mail_owner, GroupOwner::setgid},
    {"pid", 0755, Owner::root, GroupOwner::root},
    {"private", 0700, Owner::mail_owner, GroupOwner::root},
    {"public", 0710, Owner::mail_owner, GroupOwner::setgid},
    {"saved", 0700, Owner::mail_owner, GroupOwner::root},
    {"trace", 0700, Owner::mail_owner, GroupOwner::root},
};

/// mkdir(2) is subject to the umask; the mode is not.
Result<void> create(const std::string& path, mode_t mode, uid_t uid, gid_t gid, const Identities& ids) {
  auto status = sys::stat_file(path);
  if (status && S_ISDIR(status->st_mode)) return {};
  TRY(sys::make_directory(path, mode));
  return set_access(path, uid, gid, mode, ids);
}

}  // namespace

std::span<const QueueDirectory> queue_directories() {
  return kQueueDirectories;
}

Result<Identities> identities_of(const config::Config& config) {
  Identities out;
  if (geteuid() != 0) {
    out.rootless = true;
    out.owner = geteuid();
    out.owner_group = out.setgid = getegid();
    return out;
  }
  config::Identities found = config::find_identities(config);
  out.owner_name = found.owner.name;
  out.owner = found.owner.uid;
  out.owner_group = found.owner.gid;
  out.setgid_name = found.setgid.name;
  out.setgid = found.setgid.gid;
  return out;
}

Result<void> create_missing(const config::Config& config, const Identities& ids) {
  constexpr mode_t kPublicMode = 0755, kDataMode = 0700;
  std::string queue = config.get(params::queue_directory);
  if (!sys::exists(queue)) TRY(sys::make_directory(queue, kPublicMode));
  for (const QueueDirectory& directory : kQueueDirectories) {
    TRY(create(queue + "/" + directory.name, directory.mode, ids.uid_of(directory.owner),
               ids.gid_of(directory.group), ids));
  }
  std::string data = config.get(params::data_directory);
  if (sys::exists(data)) return {};
  TRY(sys::make_directories(sys::directory_of(data), kPublicMode));
  return create(data, kDataMode, ids.owner, 0, ids);
}

Result<void> set_access(const std::string& path, uid_t uid, gid_t gid, mode_t mode, const Identities& ids) {
  // A change of owner takes set-gid rights away, so the mode comes last.
  if (!ids.rootless) TRY(sys::change_owner(path, uid, gid));
  return sys::change_mode(path, mode);
}

}  // namespace postrider::postfix

#include "tools/postfix/queue_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <optional>

#include <fmt/format.h>

#include "config/params/instance.h"
#include "sys/file.h"
#include "sys/user.h"

namespace postrider::tools {

namespace params = config::params;

namespace {

enum class Owner : unsigned char { root, mail_owner };
enum class GroupOwner : unsigned char { root, mail_owner, setgid };

struct Directory {
  const char* name;
  mode_t mode;
  Owner owner;
  GroupOwner group;
};

constexpr std::array<Directory, 14> kQueueDirectories{{{"active", 0700, Owner::mail_owner, GroupOwner::root},
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
                                                       {"trace", 0700, Owner::mail_owner, GroupOwner::root}}};

struct Identities {
  uid_t owner_uid = 0;
  gid_t owner_gid = 0, setgid_gid = 0;
  bool rootless = false;
};

Result<Identities> identities(const config::Config& config) {
  Identities out;
  if (::geteuid() != 0) {
    out.rootless = true;
    return out;
  }
  std::string owner = config.get(params::mail_owner), group = config.get(params::setgid_group);
  auto user = TRY(sys::find_user(owner));
  if (!user) return fail(ErrorKind::not_found, fmt::format("mail_owner: unknown user name {}: create it", owner));
  auto found = TRY(sys::find_group(group));
  if (!found) return fail(ErrorKind::not_found, fmt::format("setgid_group: unknown group name {}: create it", group));
  out.owner_uid = user->uid;
  out.owner_gid = user->gid;
  out.setgid_gid = found->gid;
  return out;
}

Result<void> put(const std::string& path, mode_t mode, uid_t uid, gid_t gid, bool rootless) {
  auto status = sys::lstat_file(path);
  if (status && !S_ISDIR(status->st_mode)) return fail(ErrorKind::invalid, fmt::format("{} is not a directory", path));
  if (!status) TRY(sys::make_directory(path, mode));
  if (!rootless) TRY(sys::change_owner(path, uid, gid));
  return sys::change_mode(path, mode);
}

}  // namespace

Result<void> prepare_directories(const config::Config& config) {
  Identities ids = TRY(identities(config));
  std::string queue = config.get(params::queue_directory);
  if (!sys::exists(queue)) TRY(sys::make_directories(queue, 0755));
  for (const Directory& directory : kQueueDirectories) {
    uid_t uid = directory.owner == Owner::root ? 0 : ids.owner_uid;
    gid_t gid = directory.group == GroupOwner::setgid ? ids.setgid_gid : 0;
    TRY(put(queue + "/" + directory.name, directory.mode, uid, gid, ids.rootless));
  }
  std::string data = config.get(params::data_directory);
  if (!sys::exists(data)) {
    TRY(sys::make_directories(sys::directory_of(data), 0755));
    TRY(put(data, 0700, ids.owner_uid, ids.owner_gid, ids.rootless));
  }
  return {};
}

std::vector<std::string> check_installation(const config::Config& config) {
  std::vector<std::string> out;
  auto ids = identities(config);
  if (!ids) return {ids.error().text};
  auto check = [&](const std::string& path, uid_t uid, mode_t forbidden, const char* owner) {
    auto status = sys::lstat_file(path);
    if (!status) {
      out.push_back(status.error().text);
      return;
    }
    if (!ids->rootless && status->st_uid != uid) out.push_back(fmt::format("not owned by {}: {}", owner, path));
    if ((status->st_mode & forbidden) != 0 && !S_ISLNK(status->st_mode)) {
      out.push_back(fmt::format("group or other writable: {}", path));
    }
  };
  std::string queue = config.get(params::queue_directory), owner = config.get(params::mail_owner);
  for (const char* parameter : {"config_directory", "daemon_directory", "command_directory", "queue_directory"}) {
    std::string path = *config.value(parameter).value_or(std::string());
    check(path, 0, S_IWGRP | S_IWOTH, "root");
  }
  for (const char* name : {"main.cf", "master.cf"}) {
    check(config.directory() + "/" + name, 0, S_IWGRP | S_IWOTH, "root");
  }
  for (const Directory& directory : kQueueDirectories) {
    bool root = directory.owner == Owner::root;
    check(queue + "/" + directory.name, root ? 0 : ids->owner_uid,
          directory.group == GroupOwner::setgid ? S_IWOTH : S_IWGRP | S_IWOTH, root ? "root" : owner.c_str());
  }
  check(config.get(params::data_directory), ids->owner_uid, S_IWGRP | S_IWOTH, owner.c_str());
  return out;
}

}  // namespace postrider::tools

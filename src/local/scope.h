// What is known about the recipient that a delivery is about at the moment.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "local/settings.h"
#include "proto/delivery.h"
#include "sys/user.h"

namespace postrider::local {

/// On whose behalf files and commands are used. Without a user (uid 0) default_privs stand in.
struct Rights {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name, home, shell;  ///< Empty without a user.

  static Rights of(const sys::User& user) { return {user.uid, user.gid, user.name, user.home, user.shell}; }
};

/// One recipient and how it came about. Expansion of aliases and forward files makes copies, and changes
/// those.
struct Scope {
  proto::DeliveryRecipient recipient;
  // The recipient's address in parts; lower case.
  std::string local, user, domain;
  std::optional<std::string> extension;
  std::string delimiter;  ///< What stands between user and extension.
  /// The extension that goes over to the addresses that the recipient expands to.
  std::optional<std::string> unmatched;

  std::string sender;  ///< Of mail that is sent on: that of the message, or the owner of a mailing list.
  std::string
      owner;  ///< Who hears of problems; empty: nobody but the sender. Recipients then get mail sent on.
  std::string delivered;  ///< The address for Delivered-To:.
  std::string dsn_envid;
  uint32_t dsn_ret = 0;

  Expansion from = Expansion::none;
  std::string expanded;  ///< The name that was expanded last: an alias that lists itself means the user.
  int level = 0;         ///< Of expansion.
  int includes = 0;      ///< Of :include: files.
  Rights rights;
};

}  // namespace postrider::local

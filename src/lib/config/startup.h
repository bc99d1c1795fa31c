// What every program checks before it does anything.
#pragma once

#include "config/config.h"
#include "sys/user.h"

namespace postrider::config {

/// Throws ConfigError when myhostname or mydomain is no host name.
void check_host_names(const Config& config);

/// Throws ConfigError when a setting that concerns all programs is none: with such a main.cf nothing runs, as
/// with Postfix, whatever a program needs for itself. May block: names in inet_interfaces are looked up.
void check_common_settings(const Config& config);

/// The accounts that separate privileges.
struct Identities {
  sys::User owner;          ///< mail_owner
  sys::Group setgid;        ///< setgid_group
  sys::User default_privs;  ///< default_privs
};
/// Finds them. Throws ConfigError when one does not exist, is privileged, or shares an id with another. Only
/// for a system that runs with privileges: without them everything has one identity anyway. May block.
Identities find_identities(const Config& config);

}  // namespace postrider::config

#include "config/startup.h"

#include <fmt/format.h>

#include "base/hostname.h"
#include "base/text.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"

namespace postrider::config {
namespace {

/// A finding about one parameter, in Postfix's form.
[[noreturn]] void refuse(const Config& config, std::string_view parameter, std::string_view finding) {
  throw ConfigError(fmt::format("file {}: parameter {}: {}", config.main_cf_path(), parameter, finding),
                    config.source(parameter), fmt::format("set {} to an account of its own", parameter));
}

/// A finding about two parameters that should not have something in common.
[[noreturn]] void refuse_overlap(const Config& config, std::string_view first, std::string_view second,
                                 std::string_view finding) {
  throw ConfigError(
      fmt::format("file {}: parameters {} and {}{}", config.main_cf_path(), first, second, finding),
      config.source(second), "give each of them an account of its own");
}

template <typename T>
T value_of(const Config& config, std::string_view parameter, Result<std::optional<T>> found,
           std::string_view unknown) {
  if (!found) refuse(config, parameter, found.error().text);
  if (!*found) refuse(config, parameter, unknown);
  return std::move(**found);
}

sys::User find_user(const Config& config, const Param<std::string>& param) {
  std::string name = config.get(param);
  auto user = value_of(config, param.name(), sys::find_user(name), "unknown user name value: " + name);
  if (user.uid == 0) refuse(config, param.name(), fmt::format("user {} has privileged user ID", name));
  if (user.gid == 0) refuse(config, param.name(), fmt::format("user {} has privileged group ID", name));
  return user;
}

sys::Group find_group(const Config& config, const Param<std::string>& param) {
  std::string name = config.get(param);
  auto group = value_of(config, param.name(), sys::find_group(name), "unknown group name: " + name);
  if (group.gid == 0) refuse(config, param.name(), fmt::format("group {} has privileged group ID", name));
  auto other = sys::find_group(group.gid);
  if (other && *other && (*other)->name != name)
    refuse(config, param.name(), fmt::format("group {} has same group ID as {}", name, (*other)->name));
  return group;
}

void check_overlap(const Config& config, const Identities& ids) {
  const sys::User &owner = ids.owner, &privs = ids.default_privs;
  std::string_view mail_owner = params::mail_owner.name(), default_privs = params::default_privs.name();
  std::string_view setgid_group = params::setgid_group.name();
  if (privs.name == owner.name)
    refuse_overlap(config, default_privs, mail_owner, " specify the same user " + owner.name);
  if (privs.uid == owner.uid)
    refuse_overlap(
        config, default_privs, mail_owner,
        fmt::format(": users {} and {} have the same user ID: {}", privs.name, owner.name, owner.uid));
  if (privs.gid == owner.gid)
    refuse_overlap(
        config, default_privs, mail_owner,
        fmt::format(": users {} and {} have the same group ID: {}", privs.name, owner.name, owner.gid));
  if (privs.gid == ids.setgid.gid)
    refuse_overlap(config, default_privs, setgid_group,
                   fmt::format(": user {} and group {} have the same group ID: {}", privs.name,
                               ids.setgid.name, privs.gid));
  if (owner.gid == ids.setgid.gid)
    refuse_overlap(config, mail_owner, setgid_group,
                   fmt::format(": user {} and group {} have the same group ID: {}", owner.name,
                               ids.setgid.name, owner.gid));
}

void check_host_name(const Config& config, const Param<std::string>& param) {
  std::string name = config.get(param);
  std::string problem = hostname_problem(name);
  if (problem.empty()) return;
  ConfigError error(fmt::format("file {}: parameter {}: bad parameter value: {}", config.main_cf_path(),
                                param.name(), name),
                    config.source(param.name()),
                    fmt::format("set {} to a full Internet host name", param.name()));
  error.warning = std::move(problem);
  throw error;
}

void check_single(const Config& config, const Param<std::string>& param) {
  std::string value = config.get(param);
  if (value.find_first_of(kListSeparators) == std::string::npos) return;
  throw ConfigError(
      fmt::format("{} parameter setting must not contain multiple values: {}", param.name(), value),
      config.source(param.name()), "give one name");
}

}  // namespace

void check_host_names(const Config& config) {
  check_host_name(config, params::myhostname);
  check_host_name(config, params::mydomain);
  check_single(config, params::myorigin);
  check_single(config, params::relayhost);
}

Identities find_identities(const Config& config) {
  Identities ids;
  ids.default_privs = find_user(config, params::default_privs);
  ids.owner = find_user(config, params::mail_owner);
  auto other = sys::find_user(ids.owner.uid);
  if (other && *other && (*other)->name != ids.owner.name)
    refuse(config, params::mail_owner.name(),
           fmt::format("user {} has same user ID as {}", ids.owner.name, (*other)->name));
  ids.setgid = find_group(config, params::setgid_group);
  check_overlap(config, ids);
  return ids;
}

}  // namespace postrider::config

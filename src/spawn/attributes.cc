#include "spawn/attributes.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/families.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "config/startup.h"
#include "mailbox/command.h"
#include "sys/user.h"

namespace postrider::spawn {

namespace params = config::params;

namespace {

[[noreturn]] void refuse(const std::string& service, std::string text, std::string remedy) {
  config::Source source{.origin = config::Source::Origin::override_, .file = service};
  throw config::ConfigError(std::move(text), source, std::move(remedy));
}

mailbox::Identity find_identity(const std::string& service, const std::string& name) {
  size_t colon = name.find(':');
  std::string user_name = name.substr(0, colon);
  auto user = sys::find_user(user_name);
  if (!user || !*user) refuse(service, "unknown user name: " + user_name, "create the user, or name another");
  mailbox::Identity out{(*user)->uid, (*user)->gid};
  if (colon == std::string::npos) return out;
  std::string group_name = name.substr(colon + 1);
  auto group = sys::find_group(group_name);
  if (!group || !*group)
    refuse(service, "unknown group name: " + group_name, "create the group, or name another");
  out.gid = (*group)->gid;
  return out;
}

void check_identity(const config::Config& config, const std::string& service, mailbox::Identity as) {
  config::Identities ids = config::find_identities(config);
  const char* remedy = "name an unprivileged user and group";
  if (as.uid == 0) refuse(service, "request to deliver as root", remedy);
  if (as.uid == ids.owner.uid) refuse(service, "request to deliver as mail system owner", remedy);
  if (as.gid == 0) refuse(service, fmt::format("request to use privileged group id {}", as.gid), remedy);
  if (as.gid == ids.owner.gid) {
    refuse(service, fmt::format("request to use mail system owner group id {}", as.gid), remedy);
  }
  if (as.uid == static_cast<uid_t>(-1)) refuse(service, "user must not have user ID -1", remedy);
  if (as.gid == static_cast<gid_t>(-1)) refuse(service, "user must not have group ID -1", remedy);
}

}  // namespace

Attributes parse_attributes(const config::Config& config, const std::string& service,
                            const std::vector<std::string>& words, bool rootless) {
  Attributes out;
  std::string user;
  for (size_t i = 0; i < words.size(); ++i) {
    if (starts_with_ignore_case(words[i], "user=")) {
      user = words[i].substr(5);
    } else if (starts_with_ignore_case(words[i], "argv=")) {
      out.argv.push_back(words[i].substr(5));
      out.argv.insert(out.argv.end(), words.begin() + static_cast<ptrdiff_t>(i) + 1, words.end());
      break;
    } else {
      refuse(service, "unknown attribute name: " + words[i], "use user= and, last, argv=");
    }
  }
  if (user.empty()) refuse(service, "missing user= attribute", "add user=NAME of an unprivileged user");
  if (out.argv.empty() || out.argv.front().empty()) {
    refuse(service, "missing argv= attribute", "add argv=COMMAND at the end");
  }
  if (rootless) {
    out.switch_user = false;
  } else {
    out.as = find_identity(service, user);
    check_identity(config, service, out.as);
  }
  out.time_limit = config.get(config::families::time_limit, service);
  out.environment = mailbox::exported_environment(config.get(params::export_environment));
  out.environment.push_back("PATH=" + std::string(mailbox::kCommandPath));
  return out;
}

}  // namespace postrider::spawn

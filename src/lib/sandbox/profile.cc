#include "sandbox/profile.h"

namespace postrider::sandbox {

std::vector<std::string> system_paths() {
  return {"/etc",
          "/lib",
          "/lib64",
          "/usr/lib",
          "/usr/lib64",
          "/usr/local/lib",
          "/usr/share",
          "/dev/null",
          "/dev/urandom",
          "/dev/random",
          "/proc/self",
          "/proc/sys/kernel",
          "/run/systemd/resolve",
          "/run/nscd",
          "/var/run/nscd",
          "/run/resolvconf"};
}

namespace {
bool wanted = false;  // Of the process.
}

void ask_for_network() {
  wanted = true;
}
bool network_wanted() {
  return wanted;
}

std::string describe(const Profile& profile) {
  std::string out = profile.name + ":";
  auto list = [&out](const char* what, const std::vector<std::string>& paths) {
    if (paths.empty()) return;
    out += std::string("\n  ") + what + ":";
    for (const std::string& path : paths)
      out += " " + path;
  };
  if (profile.all_files) out += "\n  files: as permissions allow";
  list("read", profile.read);
  list("write", profile.write);
  auto flag = [&out](const char* what, bool granted) {
    out += std::string("\n  ") + what + (granted ? ": yes" : ": no");
  };
  flag("identities of users", profile.all_files || profile.identities);
  flag("network", profile.connect);
  flag("new listeners", profile.accept_more);
  return out;
}

}  // namespace postrider::sandbox

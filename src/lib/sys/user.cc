#include "sys/user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

namespace postrider::sys {

namespace {

/// Runs one of the getXXX_r() functions with a buffer that grows as needed. `call` returns an errno value and
/// sets the result pointer, null when there is no such entry.
template <typename Entry, typename Call>
Result<Entry*> lookup(std::vector<char>& buffer, Entry& entry, const std::string& what, Call call) {
  for (buffer.resize(2048);; buffer.resize(buffer.size() * 2)) {
    Entry* found = nullptr;
    int error = call(&entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < (1U << 22)) continue;
    if (found != nullptr) return found;
    // POSIX allows these for "no such entry".
    if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) return nullptr;
    return std::unexpected(Error::from_errno(what, error));
  }
}

std::string text(const char* value) {
  return value == nullptr ? "" : value;
}

template <typename Call>
Result<std::optional<User>> user_by(const std::string& what, Call call) {
  std::vector<char> buffer;
  passwd entry{};
  passwd* found = TRY(lookup(buffer, entry, what, call));
  if (found == nullptr) return std::nullopt;
  return User{text(found->pw_name), text(found->pw_gecos), text(found->pw_dir),   text(found->pw_shell),
              found->pw_uid,        found->pw_gid,         text(found->pw_passwd)};
}

template <typename Call>
Result<std::optional<Group>> group_by(const std::string& what, Call call) {
  std::vector<char> buffer;
  group entry{};
  group* found = TRY(lookup(buffer, entry, what, call));
  if (found == nullptr) return std::nullopt;
  Group out{text(found->gr_name), found->gr_gid, text(found->gr_passwd), {}};
  for (char** member = found->gr_mem; member != nullptr && *member != nullptr; ++member)
    out.members.emplace_back(*member);
  return out;
}

}  // namespace

Result<std::optional<User>> find_user(const std::string& name) {
  return user_by("user " + name, [&](auto... args) { return getpwnam_r(name.c_str(), args...); });
}

Result<std::optional<User>> find_user(uid_t uid) {
  return user_by(fmt::format("user id {}", uid), [&](auto... args) { return getpwuid_r(uid, args...); });
}

Result<std::optional<Group>> find_group(const std::string& name) {
  return group_by("group " + name, [&](auto... args) { return getgrnam_r(name.c_str(), args...); });
}

Result<std::optional<Group>> find_group(gid_t gid) {
  return group_by(fmt::format("group id {}", gid), [&](auto... args) { return getgrgid_r(gid, args...); });
}

Identity own_identity() {
  return {.real_uid = getuid(), .uid = geteuid(), .gid = getegid()};
}

Result<void> become_user(uid_t uid, gid_t gid) {
  if (setgid(gid) < 0) return fail_errno(fmt::format("setgid {}", gid));
  if (setgroups(1, &gid) < 0) return fail_errno("setgroups");
  if (setuid(uid) < 0) return fail_errno(fmt::format("setuid {}", uid));
  if (uid != 0 && setuid(0) == 0) return fail(ErrorKind::denied, "root privileges could not be given up");
  return {};
}

/// Sets the effective ids in the order that the system allows: as root, and the user last.
Result<void> AsUser::take_on(uid_t uid, gid_t gid) {
  if (geteuid() != 0 && seteuid(0) < 0) return fail_errno("seteuid 0");
  if (setegid(gid) < 0) return fail_errno(fmt::format("setegid {}", gid));
  if (setgroups(1, &gid) < 0) return fail_errno("setgroups");
  if (seteuid(uid) < 0) return fail_errno(fmt::format("seteuid {}", uid));
  return {};
}

Result<AsUser> AsUser::enter(uid_t uid, gid_t gid) {
  AsUser guard;
  guard.saved_uid_ = geteuid();
  guard.saved_gid_ = getegid();
  if (guard.saved_uid_ == uid && guard.saved_gid_ == gid) return guard;
  if (guard.saved_uid_ != 0 && getuid() != 0) {
    // Without root nobody can be impersonated; the own identity was handled above.
    return fail(ErrorKind::denied, fmt::format("cannot act as user id {} without root privileges", uid));
  }
  guard.active_ = true;
  TRY(guard.take_on(uid, gid));
  return guard;
}

AsUser::AsUser(AsUser&& other) noexcept
    : active_(std::exchange(other.active_, false)),
      saved_uid_(other.saved_uid_),
      saved_gid_(other.saved_gid_) {}

AsUser::~AsUser() {
  if (active_ && !take_on(saved_uid_, saved_gid_)) abort();
}

}  // namespace postrider::sys

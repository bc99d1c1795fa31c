// sandbox::enter() on Linux: no-new-privileges, Landlock (Documentation/userspace-api/landlock.rst), and the
// system call filter of seccomp.cc.
#ifdef __linux__

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "sandbox/profile.h"
#include "sandbox/seccomp.h"
#include "sys/fd.h"

namespace postrider::sandbox {

namespace {

// The kernel's interface, including what is newer than the headers of the build machine. Bits 6 and 11, to
// make device files, are given to nobody.
constexpr uint64_t kExecute = 1 << 0, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadDir = 1 << 3,
                   kRemoveDir = 1 << 4, kRemoveFile = 1 << 5, kMakeDir = 1 << 7, kMakeReg = 1 << 8,
                   kMakeSock = 1 << 9, kMakeFifo = 1 << 10, kMakeSym = 1 << 12, kRefer = 1 << 13,
                   kTruncate = 1 << 14, kIoctlDev = 1 << 15;
constexpr uint64_t kBindTcp = 1 << 0, kConnectTcp = 1 << 1;
constexpr uint64_t kScopeAbstractSocket = 1 << 0, kScopeSignal = 1 << 1;

constexpr uint64_t kRead = kReadFile | kReadDir;
constexpr uint64_t kWrite = kRead | kWriteFile | kRemoveDir | kRemoveFile | kMakeDir | kMakeReg | kMakeSock |
                            kMakeFifo | kMakeSym | kRefer | kTruncate;
constexpr uint64_t kOnFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDev;

struct RulesetAttributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

/// What a kernel of this ABI version knows; rights it does not know must not be asked for.
RulesetAttributes handled(int abi, const Profile& profile) {
  RulesetAttributes out{};
  out.handled_access_fs = (kMakeSym << 1) - 1;
  if (abi >= 2) out.handled_access_fs |= kRefer;
  if (abi >= 3) out.handled_access_fs |= kTruncate;
  if (abi >= 5) out.handled_access_fs |= kIoctlDev;
  if (abi >= 4) {
    if (!profile.connect) out.handled_access_net |= kConnectTcp;
    if (!profile.accept_more) out.handled_access_net |= kBindTcp;
  }
  if (abi >= 6) out.scoped = kScopeAbstractSocket | kScopeSignal;
  return out;
}

size_t attribute_size(int abi) {
  return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

Result<void> allow(int ruleset, const std::string& path, uint64_t access) {
  sys::Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return {};
    return fail_errno("sandbox: open " + path);
  }
  struct stat st{};
  if (fstat(fd.get(), &st) == 0 && !S_ISDIR(st.st_mode)) access &= kOnFiles;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = fd.get();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
    return fail_errno("sandbox: allow " + path);
  }
  return {};
}

}  // namespace

namespace {

/// The version of Landlock that is in force; 0 where the kernel has none.
Result<int> restrict_files(const Profile& profile) {
  long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return 0;
  RulesetAttributes attributes = handled(static_cast<int>(abi), profile);
  sys::Fd ruleset(static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &attributes, attribute_size(static_cast<int>(abi)), 0)));
  if (!ruleset) return fail_errno("sandbox: create ruleset");
  uint64_t known = attributes.handled_access_fs;
  // A path may be listed for both; the kernel unites the rules.
  for (const std::string& path : profile.read)
    TRY(allow(ruleset.get(), path, kRead & known));
  for (const std::string& path : profile.write)
    TRY(allow(ruleset.get(), path, kWrite & known));
  if (profile.all_files) TRY(allow(ruleset.get(), "/", kWrite & known));
  TRY(allow(ruleset.get(), "/dev/null", (kReadFile | kWriteFile) & known));
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) < 0) return fail_errno("sandbox: restrict");
  return static_cast<int>(abi);
}

}  // namespace

Result<Confinement> enter(const Profile& profile) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail_errno("sandbox: no-new-privileges");
  Profile whole = profile;
  whole.connect = whole.connect || network_wanted();
  Confinement out;
  out.landlock_abi = TRY(restrict_files(whole));
  out.filtered = TRY(filter_system_calls(whole));
  return out;
}

}  // namespace postrider::sandbox

#endif

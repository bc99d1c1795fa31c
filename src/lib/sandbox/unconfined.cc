// sandbox::enter() where there is no Landlock: identities, chroot and file permissions are what confines.
// FreeBSD has Capsicum, but a process in capability mode opens no file by name, and ours open tables whenever
// they are rebuilt.
#ifndef __linux__

#include <unistd.h>

#ifdef __FreeBSD__
#include <sys/procctl.h>
#endif

#include "sandbox/profile.h"

namespace postrider::sandbox {

Result<Confinement> enter(const Profile&) {
#ifdef PROC_NO_NEW_PRIVS_CTL
  int enable = PROC_NO_NEW_PRIVS_ENABLE;
  if (procctl(P_PID, ::getpid(), PROC_NO_NEW_PRIVS_CTL, &enable) < 0)
    return fail_errno("sandbox: no-new-privileges");
#endif
  return Confinement{};
}

}  // namespace postrider::sandbox

#endif

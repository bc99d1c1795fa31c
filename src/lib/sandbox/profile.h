// What a process may still do once it serves: its sandbox profile.
//
// On Linux a profile becomes a Landlock ruleset, a system call filter and no-new-privileges; everything that
// the profile does not list is refused by the kernel, for root too. Connecting to UNIX-domain sockets is
// governed by the permissions of their directories, not by the profile. No confined process starts another
// one: commands are run by a helper that was split off before (mailbox/runner.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace postrider::sandbox {

struct Profile {
  std::string name;               ///< The daemon's.
  std::vector<std::string> read;  ///< Files, and directories with all below, that can be read.
  std::vector<std::string>
      write;                 ///< Directories where files can also be made, changed, renamed and removed.
  bool all_files = false;    ///< Agents that deliver as many users: file permissions decide, and the process
                             ///< may take on their identities.
  bool identities = false;   ///< May take on the identities of users, where all_files does not say so.
  bool connect = false;      ///< TCP connections to others, and UDP (DNS).
  bool accept_more = false;  ///< Binding new TCP listeners. Inherited listeners need no permission.
};

/// What every daemon needs to read: shared libraries, name services, time zones, the resolver's
/// configuration.
std::vector<std::string> system_paths();

/// What a library has opened needs TCP connections, as Profile::connect, which the daemon cannot know: asked
/// for before enter(), for the whole process.
void ask_for_network();

struct Confinement {
  int landlock_abi = 0;   ///< 0: the kernel has no Landlock, or it is switched off.
  bool filtered = false;  ///< The system call filter is in force.
};

/// Confines this process for the rest of its life, threads started later included; call it before threads
/// exist. Paths that do not exist are skipped. An error means that the profile could not be put in force
/// although the kernel has the means: do not serve.
Result<Confinement> enter(const Profile& profile);

/// The profile in lines of words, for documentation and `-v`.
std::string describe(const Profile& profile);

}  // namespace postrider::sandbox

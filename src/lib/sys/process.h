// Child processes.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace postrider::sys {

/// What a child process starts with. Descriptors not listed in `descriptors` are closed.
struct SpawnRequest {
  std::string program;  ///< Its path; empty: argv[0], not searched in PATH.
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< NAME=value, the whole environment.
  /// (descriptor of the parent, number in the child) pairs, ascending by the number in the child. 0, 1 and 2
  /// become /dev/null where not listed.
  std::vector<std::pair<int, int>> descriptors;
  std::string root;  ///< Becomes the root directory, and the working one (needs root); empty: the parent's.
  std::string directory;     ///< Working directory; empty: the parent's.
  bool new_session = false;  ///< setsid(), so that the whole group can be signalled.
  bool switch_user = false;  ///< Become uid/gid for good (needs root).
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Starts a program. A failure to execute it is reported here, not by the child's exit status:
/// ErrorKind::system when the program cannot be executed, ErrorKind::denied when the child could not become
/// the user or enter the directory; the code is errno.
Result<pid_t> spawn(const SpawnRequest& request);

/// The path of a command: the name itself when there is a "/" in it, else the first executable file of that
/// name in the directories of PATH, as execvp(3) would find it. The error's text is the reason.
Result<std::string> find_program(const std::string& name);

/// Becomes another program, with this process's environment and descriptors; returns only when that fails.
Error replace_process(const std::vector<std::string>& argv);

/// Waits for a child to end: its exit status, or 128 and the number of the signal that ended it.
Result<int> wait_for(pid_t pid);

/// The environment of this process as NAME=value.
std::vector<std::string> environment();
/// Replaces it, or one entry.
void set_environment(const std::vector<std::string>& entries);
void set_environment_entry(const std::string& name, const std::string& value);

/// Opens /dev/null for those of the descriptors 0, 1 and 2 that are closed, so that no file that is opened
/// later gets to be standard output. The first thing that a program with borrowed rights does.
void open_standard_descriptors();

/// Whether a process with this id exists (it may belong to another user).
bool process_exists(pid_t pid);

/// Tries to become the debugger of a process; a sandbox should not let it. It stays attached until this one
/// ends.
bool trace_process(pid_t pid);

/// The id of this process.
pid_t process_id();

/// Sets the mask of modes of new files.
void set_umask(mode_t mask);

/// Postpones signals to this thread for as long as it lives, so that they do not interrupt a change half-way.
class DelaySignals {
 public:
  DelaySignals();
  ~DelaySignals();
  DelaySignals(const DelaySignals&) = delete;
  DelaySignals& operator=(const DelaySignals&) = delete;

 private:
  sigset_t before_;
};
/// Whether the program runs with the rights of another user or group than the caller's (set-uid, set-gid).
bool has_borrowed_rights();

/// The host name as gethostname() has it.
std::string host_name();

}  // namespace postrider::sys

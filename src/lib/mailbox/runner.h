// Commands that users and the administrator give, run by a helper process.
//
// A delivery agent confines itself: it cannot execute anything, and what it might start would inherit
// no-new-privileges, so that set-id programs (postdrop, in a user's script) would not work. Therefore it
// first starts a helper that stays as it is, does nothing but run commands one at a time, and accepts them
// from its parent alone, over a socket pair. The helper never runs a command as root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/stream.h"
#include "ipc/codec.h"
#include "mailbox/copy.h"
#include "mailbox/open_file.h"

namespace postrider::mailbox {

/// Command output that is kept; the rest is dropped.
inline constexpr size_t kMaxCommandOutput = 4096;
/// Longest argument or environment entry; the system takes no longer ones either.
inline constexpr size_t kMaxArgument = 128 * 1024;

/// A command and what it runs with.
struct RunRequest {
  static constexpr uint16_t kType = 1;
  /// argv[0] is searched in the PATH of `environment` when it has no '/'. May be empty.
  ipc::List<ipc::Text<kMaxArgument>, 4096> argv;
  /// For /bin/sh -c: when argv is empty, or argv[0] was searched and not found. Empty: no shell.
  ipc::Text<kMaxArgument> shell_command;
  ipc::List<ipc::Text<kMaxArgument>, 4096> environment;  ///< NAME=value, all of it.
  ipc::Text<ipc::kMaxPath> root;       ///< Becomes the root directory, and the current one; empty: no change.
  ipc::Text<ipc::kMaxPath> directory;  ///< Entered as the user; empty: that of the agent.
  bool switch_user = false;  ///< False where the mail system runs without root: everything is one user.
  uint32_t uid = 0, gid = 0;
  int64_t time_limit = 0;  ///< Seconds; then the command's process group is killed. 0: none.
  bool connected = false;  ///< The standard input is a connection, and output goes there too.
  void fields(auto& f) {
    f(argv, shell_command, environment, root, directory, switch_user, uid, gid, time_limit, connected);
  }
};

enum class RunEnd : uint8_t {
  exited,  ///< `number` is the exit status.
  killed,  ///< By signal `number`.
  timed_out,
  not_started,   ///< It could not be executed: `number` is an errno value, `error` says why.
  not_prepared,  ///< Its directory, its root directory or its user: `error` says what is wrong.
};

/// How a command ended: when it has exited and all its output is closed.
struct RunReply {
  static constexpr uint16_t kType = 2;
  RunEnd end = RunEnd::not_started;
  int32_t number = 0;
  ipc::Text<kMaxCommandOutput> output;  ///< Standard output and standard error, as they came.
  bool output_closed = false;           ///< With timed_out: the command had closed its output.
  int32_t process = 0;                  ///< The id that the command had.
  ipc::Text<ipc::kMaxReason> error;
  void fields(auto& f) { f(end, number, output, output_closed, process, error); }
};

/// What became of a command and of its input.
struct RunResult {
  RunReply reply;
  std::optional<CopyFailure> input;  ///< The input could not be read, or not be written completely.
  bool input_timed_out = false;      ///< The command did not take its input in time.

  /// The command was content with what it got, but the queue file is damaged.
  bool damaged() const {
    return reply.end == RunEnd::exited && reply.number == 0 && input && input->damaged();
  }
};

/// Writes the standard input of a command to the sink.
using Feed = std::function<std::expected<void, CopyFailure>(const Sink&)>;

/// The agent's end. One command at a time.
class Runner {
 public:
  struct Options {
    int64_t file_size_limit = 0;      ///< Bytes that a command can write to one file; 0: no limit.
    std::optional<Identity> only_as;  ///< Commands that should run as somebody else are refused.
  };
  /// Starts the helper: before the process has threads, changes its identity or confines itself.
  static Result<std::unique_ptr<Runner>> start(const Options& options);
  ~Runner();

  /// Runs a command; suspends until it has ended. An error means that the helper is gone or talks nonsense:
  /// it is of no more use.
  Result<RunResult> run(RunRequest request, const Feed& feed);
  /// Gives a command a connection, blocking, as its standard input, output and error output.
  Result<RunReply> run_connected(RunRequest request, int connection);

 private:
  Runner(sys::Fd socket, pid_t helper) : socket_(std::move(socket)), helper_(helper) {}
  Result<void> send(RunRequest& request, int input);
  Result<RunReply> receive();

  sys::Fd socket_;
  std::optional<io::Stream> control_;  // Opened with the first command: by then the event loop runs.
  pid_t helper_;
};

/// The helper's side: serves the socket until the other end closes it. What fork_helper() runs.
int serve_commands(int socket, const Runner::Options& options);

}  // namespace postrider::mailbox

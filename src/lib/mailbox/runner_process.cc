// The helper process of runner.h.
#include <signal.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "mailbox/failure.h"
#include "mailbox/runner.h"
#include "mailbox/runner_frame.h"
#include "sys/child.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace postrider::mailbox {

namespace {

constexpr const char* kShell = "/bin/sh";

Result<std::string> read_bytes(int fd, size_t size) {
  std::string out(size, '\0');
  for (size_t have = 0; have < size;) {
    size_t count = TRY(sys::read_some(fd, out.data() + have, size - have));
    if (count == 0) return fail(ErrorKind::closed, "connection closed");
    have += count;
  }
  return out;
}

/// A request and the standard input that came with it; ErrorKind::closed when the agent has gone.
Result<RunRequest> receive_request(int socket, sys::Fd& input) {
  std::array<char, kFrameLengthSize> length{};
  size_t count = TRY(sys::receive_with_fd(socket, length.data(), length.size(), input));
  if (count == 0) return fail(ErrorKind::closed, "connection closed");
  if (count != length.size()) return fail(ErrorKind::invalid, "malformed message");
  size_t size = TRY(parse_frame_length(std::string_view(length.data(), length.size())));
  return ipc::decode<RunRequest>(TRY(read_bytes(socket, size)));
}

Result<void> send_reply(int socket, RunReply& reply) {
  std::string payload = TRY(encode_frame(reply));
  return sys::write_all(socket, frame_length(payload.size()) + payload);
}

/// Where a name without '/' can be, as execvp(3) looks.
std::vector<std::string> candidates(const std::string& name, const RunRequest& request) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> out;
  for (const std::string& entry : request.environment) {
    if (!entry.starts_with("PATH=")) continue;
    for (std::string_view directory : split_each(std::string_view(entry).substr(5), ':')) {
      out.push_back(directory.empty() ? name : std::string(directory) + "/" + name);
    }
    break;
  }
  return out;
}

/// Starts the program, or the shell, that a request asks for.
class Starter {
 public:
  Starter(const RunRequest& request, int input, int output) : request_(request) {
    spawn_.environment.assign(request.environment.begin(), request.environment.end());
    spawn_.descriptors = {{input, 0}, {output, 1}, {output, 2}};
    spawn_.root = request.root;
    spawn_.directory = request.directory;
    spawn_.new_session = true;
    spawn_.switch_user = request.switch_user;
    spawn_.uid = request.uid;
    spawn_.gid = request.gid;
  }

  /// The error's text is for the report: "execvp NAME: reason".
  Result<pid_t> start() {
    if (request_.argv.empty()) return start_shell();
    std::vector<std::string> argv(request_.argv.begin(), request_.argv.end());
    const std::string what = called("execvp ") + argv[0];
    Error last = Error::from_errno(what, ENOENT);
    for (const std::string& path : candidates(argv[0], request_)) {
      auto started = start_program(path, argv);
      if (started || started.error().kind != ErrorKind::system) return started;
      int code = started.error().code;
      if (code == EACCES || last.code != EACCES) last = Error::from_errno(what, code);
      if (code != ENOENT && code != ENOTDIR && code != EACCES) break;
    }
    bool searched = argv[0].find('/') == std::string::npos;
    if (searched && last.code == ENOENT && !request_.shell_command.empty()) return start_shell();
    return std::unexpected(last);
  }

 private:
  Result<pid_t> start_shell() {
    spawn_.program = kShell;
    spawn_.argv = {"sh", "-c", request_.shell_command};
    auto started = sys::spawn(spawn_);
    if (!started && started.error().kind == ErrorKind::system) {
      return std::unexpected(Error::from_errno(called("execl ") + kShell, started.error().code));
    }
    return started;
  }

  Result<pid_t> start_program(const std::string& path, const std::vector<std::string>& argv) {
    spawn_.program = path;
    spawn_.argv = argv;
    auto started = sys::spawn(spawn_);
    if (!started && started.error().code == ENOEXEC) {
      // A script without "#!".
      spawn_.program = kShell;
      spawn_.argv[0] = path;
      spawn_.argv.insert(spawn_.argv.begin(), "sh");
      started = sys::spawn(spawn_);
    }
    return started;
  }

  /// A command without a shell to fall back to is reported with the name that log analysers know.
  std::string called(std::string_view what) const {
    if (request_.connected) return "spawn_command: " + std::string(what);
    return (request_.shell_command.empty() ? "pipe_command: " : "") + std::string(what);
  }

  const RunRequest& request_;
  sys::SpawnRequest spawn_;
};

/// Watches a command until it has closed its output and exited, or its time is up. It is waited for last, so
/// that its process group cannot have become another's when it is killed.
class Watch {
 public:
  Watch(pid_t child, sys::Fd output) : child_(child), output_(std::move(output)) { reply_.process = child; }

  RunReply until(sys::ChildWaiter& waiter, Deadline deadline) {
    while (!finished()) {
      std::array<sys::ChildWaiter::Watched, 1> watched{{{.fd = output_.get()}}};
      if (deadline.passed() || !waiter.wait(watched, deadline)) return give_up();
      if (watched[0].ready) read_output();
    }
    return std::move(reply_);
  }

 private:
  bool finished() {
    if (output_) return false;
    auto ended = sys::reap(child_);
    if (!ended || !*ended) return false;
    reply_.end = (*ended)->by_signal ? RunEnd::killed : RunEnd::exited;
    reply_.number = (*ended)->number;
    return true;
  }

  void read_output() {
    std::array<char, 4096> buffer;
    auto count = sys::read_some(output_.get(), buffer.data(), buffer.size());
    if (!count || *count == 0) return output_.reset();
    reply_.output.append(buffer.data(), std::min(*count, kMaxCommandOutput - reply_.output.size()));
  }

  RunReply give_up() {
    sys::kill_group(child_);
    (void)sys::wait_ended(child_);
    reply_.end = RunEnd::timed_out;
    reply_.output_closed = !output_;
    return std::move(reply_);
  }

  pid_t child_;
  sys::Fd output_;
  RunReply reply_;
};

Result<void> check_identity(const RunRequest& request, const Runner::Options& options) {
  if (!request.switch_user) return {};
  if (request.uid == 0 || request.gid == 0)
    return fail(ErrorKind::denied, "refused to run a command as root");
  if (options.only_as && *options.only_as != Identity{request.uid, request.gid}) {
    return fail(ErrorKind::denied, "refused to run a command as another user");
  }
  return {};
}

Result<RunReply> run(sys::ChildWaiter& waiter, const RunRequest& request, const Runner::Options& options,
                     sys::Fd input) {
  TRY(check_identity(request, options));
  sys::Pipe output;
  if (!request.connected) output = TRY(sys::make_pipe());
  Deadline deadline =
      request.time_limit > 0 ? Deadline::after(seconds(request.time_limit)) : Deadline::never();
  auto child = Starter(request, input.get(), request.connected ? input.get() : output.write.get()).start();
  input.reset();
  output.write.reset();
  if (!child) return std::unexpected(std::move(child).error());
  return Watch(*child, std::move(output.read)).until(waiter, deadline);
}

}  // namespace

int serve_commands(int socket, const Runner::Options& options) {
  // The agent decides when to leave; a command that runs then is not left without its time limit.
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ})
    signal(number, SIG_IGN);
  if (options.file_size_limit > 0 && !sys::limit_file_size(options.file_size_limit)) return 1;
  sys::ChildWaiter waiter;
  for (;;) {
    sys::Fd input;
    auto request = receive_request(socket, input);
    if (!request) return request.error().kind == ErrorKind::closed ? 0 : 1;
    auto result = run(waiter, *request, options, std::move(input));
    RunReply reply;
    if (result) {
      reply = std::move(*result);
    } else {
      reply.end = result.error().kind == ErrorKind::system ? RunEnd::not_started : RunEnd::not_prepared;
      reply.number = result.error().code;
      reply.error = std::string_view(result.error().text).substr(0, reply.error.kMax);
    }
    // With the agent gone there is nobody to tell, and the next request is the end.
    (void)send_reply(socket, reply);
  }
}

}  // namespace postrider::mailbox

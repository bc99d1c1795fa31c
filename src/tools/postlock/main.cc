// postlock - runs a command while a mailbox is locked as the delivery agents lock it.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "config/params/local.h"
#include "log/log.h"
#include "mailbox/lock.h"
#include "sys/file.h"
#include "sys/process.h"
#include "tool/tool.h"

namespace postrider::postlock {
namespace {

namespace params = config::params;

constexpr mode_t kMailboxMode = 0600;

struct CommandLine {
  std::string config_directory;
  std::optional<std::string> lock_style;
  int verbose = 0;
  std::string folder;
  std::vector<std::string> command;
};

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  bool usage = false;
  for (int option; (option = getopt(argc, argv, "+c:l:v")) != -1;) {
    if (option == 'c') {
      line.config_directory = optarg;
    } else if (option == 'l') {
      line.lock_style = optarg;
    } else if (option == 'v') {
      ++line.verbose;
    } else {
      usage = true;
    }
  }
  if (usage || optind + 2 > argc)
    tool::fail("usage: postlock [-c config_dir] [-l lock_style] [-v] folder command...");
  line.folder = argv[optind];
  line.command.assign(argv + optind + 1, argv + argc);
  return line;
}

Result<mailbox::LockMethods> lock_methods(const config::Config& config, const CommandLine& line) {
  // Who names none does not want any. In main.cf that would be a mistake.
  if (line.lock_style && split_any(*line.lock_style, kListSeparators).empty()) return mailbox::LockMethods{};
  return mailbox::parse_lock_methods("mailbox_delivery_lock",
                                     line.lock_style.value_or(config.get(params::mailbox_delivery_lock)));
}

mailbox::LockPolicy lock_policy(const config::Config& config, const CommandLine& line) {
  auto methods = lock_methods(config, line);
  if (!methods) tool::fail("{}", methods.error().text);
  return {.methods = *methods,
          .attempts = config.get(params::deliver_lock_attempts),
          .delay = config.get(params::deliver_lock_delay),
          .stale_time = config.get(params::stale_lock_time)};
}

/// The locks on a mailbox; they end with the object.
struct Locked {
  std::unique_ptr<mailbox::DotLock> dot_lock;
  sys::Fd file;
};

Result<Locked> lock(const std::string& folder, const mailbox::LockPolicy& policy) {
  Locked out;
  auto status = sys::stat_file(folder);
  // A lock file makes sense for mailboxes only, not for devices and FIFOs.
  if (policy.methods.dotlock && (!status || S_ISREG(status->st_mode))) {
    out.dot_lock = std::make_unique<mailbox::DotLock>(TRY(mailbox::DotLock::take(folder, policy)));
  }
  out.file = TRY(sys::open_file(folder, O_APPEND | O_WRONLY | O_CREAT, kMailboxMode));
  TRY(mailbox::lock_file(out.file.get(), policy));
  return out;
}

/// The exit status of the command.
int run_command(const config::Config& config, const std::vector<std::string>& command) {
  // A command without a directory is looked for as a shell does: env(1) does not differ from execvp(3) in
  // that.
  auto program = sys::find_program(command[0]);
  if (!program) {
    log::write(log::Severity::fatal, fmt::format("execvp {}: {}", command[0], program.error().text));
    return 1;
  }
  auto pid = tool::spawn(config, {.program = *program,
                                  .argv = command,
                                  .environment = sys::environment(),
                                  .descriptors = {{0, 0}, {1, 1}, {2, 2}}});
  if (!pid) {
    log::write(log::Severity::fatal, pid.error().text);
    return 1;
  }
  auto status = sys::wait_for(*pid);
  constexpr int kBySignal = 128;
  return !status || *status > kBySignal ? 1 : *status;
}

int run(int argc, char** argv) {
  CommandLine line = parse(argc, argv);
  config::Config config = tool::load_config(line.config_directory, line.verbose);
  auto locked = lock(line.folder, lock_policy(config, line));
  if (!locked) tool::fail("open file {}: {}", line.folder, locked.error().text);
  return run_command(config, line.command);
}

}  // namespace
}  // namespace postrider::postlock

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "postlock", .failure = tool::kTemporaryFailure, .to_log = false},
                   [&] { return postlock::run(argc, argv); });
}

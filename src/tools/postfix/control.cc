#include "tools/postfix/control.h"

#include <signal.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/deadline.h"
#include "config/params/instance.h"
#include "log/log.h"
#include "service/lock_file.h"
#include "sys/file.h"
#include "sys/process.h"
#include "tools/postfix/check.h"
#include "tools/postfix/installation.h"
#include "tools/postfix/logrotate.h"
#include "tools/postfix/non_bdb.h"
#include "tools/postfix/tls/command.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

/// Left behind by "quick-stop": the next start goes without checks.
constexpr const char* kQuickStart = "/quick-start";

/// Logs what makes the command fail.
template <typename... A>
int fatal(fmt::format_string<A...> format, A&&... arguments) {
  log::write(log::Severity::fatal, fmt::format(format, std::forward<A>(arguments)...));
  return 1;
}

int become(const std::vector<std::string>& argv) {
  log::flush();
  return fatal("{}", sys::replace_process(argv).text);
}

}  // namespace

Control::Control(config::Config config, Identities ids)
    : config_(std::move(config)), ids_(std::move(ids)), name_(config_.get(params::mail_name)) {}

int Control::run(std::string_view command, const std::vector<std::string>& arguments) {
  if (command == "start" || command == "start-fg") return start(command == "start-fg");
  if (command == "stop" || command == "drain") return stop();
  if (command == "quick-stop") return quick_stop();
  if (command == "abort") return abort();
  if (command == "reload") return reload();
  if (command == "flush") return flush();
  if (command == "check") return check();
  if (command == "status") return status();
  if (command == "logrotate") return rotate_log();
  if (command == "non-bdb") return migrate_from_berkeley_db(config_, arguments);
  if (command == "set-permissions") return set_permissions(config_, arguments);
  if (command == "upgrade-configuration") return upgrade_configuration(config_, arguments);
  if (command == "tls") return tls_command(config_, arguments);
  return fatal(
      "unknown command: '{}'. Usage: postfix start (or stop, reload, abort, flush, check, status, "
      "set-permissions, upgrade-configuration, logrotate, tls, non-bdb, lint, collate)",
      command);
}

std::optional<pid_t> Control::master_pid() const {
  auto pid = service::running_master(config_);
  if (!pid) log::fatal("{}", pid.error().text);
  return *pid;
}

int Control::not_running() const {
  return fatal("the {} mail system is not running", name_);
}

bool Control::check_before_start() {
  std::string quick_start = config_.get(params::queue_directory) + kQuickStart;
  if (sys::exists(quick_start)) {
    (void)sys::unlink_file(quick_start);
    return true;
  }
  if (!check_fatal(config_, ids_)) {
    fatal("{} integrity check failed!", name_);
    return false;
  }
  check_warn(config_, ids_);
  return true;
}

int Control::start(bool foreground) {
  if (foreground && !config_.get(params::multi_instance_directories).empty()) {
    return fatal("start-fg does not support multi_instance_directories");
  }
  if (master_pid()) return fatal("the {} mail system is already running", name_);
  if (!check_before_start()) return 1;
  log::info("starting the {} mail system", name_);
  std::string master = config_.get(params::daemon_directory) + "/master";
  if (foreground) return become({master, getpid() == 1 ? "-i" : "-s"});
  log::flush();
  auto pid = sys::spawn(
      {.argv = {master, "-w"}, .environment = sys::environment(), .descriptors = {{0, 0}, {1, 1}, {2, 2}}});
  auto started = pid ? sys::wait_for(*pid) : std::unexpected(std::move(pid).error());
  if (started && *started == 0) return 0;
  return fatal("mail system startup failed");
}

/// Until the master process has gone, for a few seconds.
bool Control::wait_for_end() const {
  constexpr int kTries = 5;
  for (int tries = 0; tries < kTries; ++tries) {
    for (Deadline second = Deadline::after(seconds(1)); !second.passed();) {
      if (!master_pid()) return true;
      std::this_thread::sleep_for(milliseconds(20));
    }
    log::info("waiting for the {} mail system to terminate", name_);
  }
  return !master_pid();
}

int Control::quick_stop() {
  (void)stop();
  auto mark = sys::open_file(config_.get(params::queue_directory) + kQuickStart, O_WRONLY | O_CREAT, 0644);
  return mark ? 0 : fatal("{}", mark.error().text);
}

int Control::stop() {
  auto pid = master_pid();
  if (!pid) return not_running();
  log::info("stopping the {} mail system", name_);
  kill(*pid, SIGTERM);
  if (wait_for_end()) return 0;
  log::warning("stopping the {} mail system with force", name_);
  // The processes that master started are in its group.
  if (getpgid(*pid) == *pid) kill(-*pid, SIGKILL);
  kill(*pid, SIGKILL);
  return wait_for_end() ? 0 : 1;
}

int Control::abort() {
  auto pid = master_pid();
  if (!pid) return not_running();
  log::info("aborting the {} mail system", name_);
  kill(*pid, SIGTERM);
  // Who starts the mail system next must not find it running.
  (void)wait_for_end();
  return 0;
}

int Control::reload() {
  auto pid = master_pid();
  if (!pid) return not_running();
  log::info("refreshing the {} mail system", name_);
  // The queue manager that begins now looks for the files of its predecessor; the rest can wait.
  if (!order_queue(config_, "active")) return 1;
  kill(*pid, SIGHUP);
  (void)start_ordering_queue(config_);
  return 0;
}

int Control::flush() {
  return become({config_.get(params::command_directory) + "/postqueue", "-c", config_.directory(), "-f"});
}

int Control::check() {
  if (!check_fatal(config_, ids_)) return 1;
  check_warn(config_, ids_);
  return 0;
}

int Control::status() {
  if (auto pid = master_pid()) {
    log::info("the {} mail system is running: PID: {}", name_, *pid);
    return 0;
  }
  log::info("the {} mail system is not running", name_);
  return 1;
}

int Control::rotate_log() {
  auto rotated = postfix::rotate_log(config_);
  return rotated ? 0 : fatal("{}", rotated.error().text);
}

}  // namespace postrider::postfix

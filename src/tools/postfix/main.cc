// postfix - starts, stops and looks after the mail system.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/deadline.h"
#include "config/params/instance.h"
#include "log/log.h"
#include "service/lock_file.h"
#include "service/log_setup.h"
#include "tools/postfix/queue_tree.h"

namespace postrider::tools {
namespace {

namespace params = config::params;

class Control {
 public:
  explicit Control(config::Config config) : config_(std::move(config)), name_(config_.get(params::mail_name)) {}

  int run(std::string_view command) {
    if (command == "start") return start();
    if (command == "start-fg") return start_foreground();
    if (command == "stop") return stop();
    if (command == "abort") return signal_master(SIGTERM, "aborting");
    if (command == "reload") return reload();
    if (command == "flush") return flush();
    if (command == "check") return check(/*quiet=*/false);
    if (command == "status") return status();
    log::error("unknown command: '{}'. Usage: postfix start (or stop, reload, abort, flush, check, status, start-fg)",
               command);
    return 1;
  }

 private:
  std::optional<pid_t> master_pid() const {
    auto pid = service::running_master(config_);
    if (!pid) log::fatal("{}", pid.error().text);
    return *pid;
  }

  pid_t require_running() const {
    std::optional<pid_t> pid = master_pid();
    if (!pid) log::fatal("the {} mail system is not running", name_);
    return *pid;
  }

  /// The directories are made and put right before the first daemon needs them; what else is wrong is reported.
  int check(bool quiet) {
    if (auto prepared = prepare_directories(config_); !prepared) log::fatal("{}", prepared.error().text);
    if (!quiet) {
      for (const std::string& warning : check_installation(config_)) log::warning("{}", warning);
    }
    return 0;
  }

  std::vector<std::string> master_command(const char* option) const {
    return {config_.get(params::daemon_directory) + "/master", option};
  }

  [[noreturn]] static void become(const std::vector<std::string>& argv) {
    std::vector<char*> pointers;
    for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    log::flush();
    ::execv(pointers[0], pointers.data());
    log::fatal("cannot execute {}: {}", argv[0], strerror(errno));
  }

  void refuse_when_running() const {
    if (master_pid()) log::fatal("the {} mail system is already running", name_);
  }

  int start() {
    refuse_when_running();
    check(/*quiet=*/true);
    log::info("starting the {} mail system", name_);
    become(master_command("-w"));
  }

  int start_foreground() {
    refuse_when_running();
    check(/*quiet=*/true);
    log::info("starting the {} mail system", name_);
    become(master_command(::getpid() == 1 ? "-i" : "-s"));
  }

  bool wait_for_end(seconds limit) const {
    Clock::time_point end = Clock::now() + limit;
    while (Clock::now() < end) {
      if (!master_pid()) return true;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return false;
  }

  int stop() {
    pid_t pid = require_running();
    log::info("stopping the {} mail system", name_);
    ::kill(pid, SIGTERM);
    if (wait_for_end(seconds(6))) return 0;
    log::warning("stopping the {} mail system with force", name_);
    if (::getpgid(pid) == pid) ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    return wait_for_end(seconds(5)) ? 0 : 1;
  }

  int signal_master(int number, const char* what) {
    pid_t pid = require_running();
    log::info("{} the {} mail system", what, name_);
    ::kill(pid, number);
    return 0;
  }

  int reload() {
    check(/*quiet=*/true);
    return signal_master(SIGHUP, "refreshing");
  }

  int flush() {
    require_running();
    become({config_.get(params::command_directory) + "/postqueue", "-c", config_.directory(), "-f"});
  }

  int status() {
    std::optional<pid_t> pid = master_pid();
    if (pid) {
      log::info("the {} mail system is running: PID: {}", name_, *pid);
      return 0;
    }
    log::info("the {} mail system is not running", name_);
    return 1;
  }

  config::Config config_;
  std::string name_;
};

int run(int argc, char** argv) {
  config::LoadOptions load;
  load.process_name = "postfix";
  int verbose = 0;
  for (int option; (option = getopt(argc, argv, "c:Dv")) != -1;) {
    if (option == 'c') {
      if (*optarg != '/') log::fatal("-c requires absolute pathname");
      load.directory = optarg;
      setenv("MAIL_CONFIG", optarg, 1);
    } else if (option == 'v') {
      ++verbose;
    } else if (option == '?') {
      log::fatal("usage: {} [-c config_dir] [-Dv] command", argv[0]);
    }
  }
  if (optind + 1 != argc) log::fatal("usage: {} [-c config_dir] [-Dv] command", argv[0]);
  auto config = config::Config::load(load);
  if (!config) log::fatal("{}", config.error().text);
  setenv("MAIL_CONFIG", config->directory().c_str(), 1);
  service::open_log(*config, "postfix-script", {.to_stderr = true, .verbose = verbose});
  return Control(std::move(*config)).run(argv[optind]);
}

}  // namespace
}  // namespace postrider::tools

int main(int argc, char** argv) {
  using namespace postrider;
  log::open({.ident = "postfix", .to_stderr = true});
  try {
    int status = tools::run(argc, argv);
    log::flush();
    return status;
  } catch (const config::ConfigError& error) {
    service::fatal_config(error);
  }
}

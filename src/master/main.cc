// master - the resident process of the mail system: it reads main.cf and master.cf, opens the sockets of all
// services, starts their processes on demand and replaces those that end.

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "config/params/instance.h"
#include "config/params/system.h"
#include "io/loop.h"
#include "log/log.h"
#include "master/master.h"
#include "service/lock_file.h"
#include "service/log_setup.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/tcp_buffers.h"
#include "sys/user.h"

namespace postrider::master {
namespace {

namespace params = config::params;

struct CommandLine {
  Options options;
  bool foreground = false;  // -d, -s: stay with the terminal or with whoever started it.
  bool test_lock = false;   // -t: only see whether a master runs.
  bool wait_ready = false;  // -w: return when the services are open.
  int exit_after = 0;       // -e seconds, for tests and debugging.
};

CommandLine parse(int argc, char** argv) {
  CommandLine out;
  for (int option; (option = getopt(argc, argv, "+c:dDe:istvw")) != -1;) {
    switch (option) {
      case 'c':
        out.options.config_directory = optarg;
        break;
      case 'd':
      case 'D':
      case 's':
        out.foreground = true;
        break;
      case 'e':
        out.exit_after = atoi(optarg);
        break;
      case 'i':
        out.foreground = out.options.init = true;
        break;
      case 't':
        out.test_lock = true;
        break;
      case 'v':
        ++out.options.verbose;
        break;
      case 'w':
        out.wait_ready = true;
        break;
      default:
        fprintf(stderr, "usage: master [-c config_dir] [-dDistvw] [-e exit_time]\n");
        exit(1);
    }
  }
  return out;
}

/// Goes into the background; the parent leaves when the child has said that it is ready, or at once.
sys::Fd become_daemon(bool wait_ready) {
  auto pipe = sys::make_pipe();
  if (!pipe) log::fatal("{}", pipe.error().text);
  pid_t pid = ::fork();
  if (pid < 0) log::fatal("fork: {}", strerror(errno));
  if (pid > 0) {
    pipe->write.reset();
    char ready = 0;
    bool good = !wait_ready || sys::read_some(pipe->read.get(), &ready, 1).value_or(0) == 1;
    if (!good) log::fatal("daemon initialization failure -- see the log for details");
    ::_exit(0);
  }
  ::setsid();
  auto null = sys::open_file("/dev/null", O_RDWR);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null) ::dup2(null->get(), fd);
  }
  return std::move(pipe->write);
}

/// Many sessions need many descriptors; children inherit the limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
  }
}

Result<service::LockFile> lock(const config::Config& config) {
  return service::LockFile::acquire(service::master_pid_path(config));
}

/// In data_directory everything belongs to the mail owner, as with Postfix, which may be started on it next.
Result<service::LockFile> lock_data(const config::Config& config) {
  std::string path = config.get(params::data_directory) + "/master.lock";
  if (::geteuid() != 0) return service::LockFile::acquire(path);
  std::string name = config.get(params::mail_owner);
  auto owner = TRY(sys::find_user(name));
  if (!owner) return fail(ErrorKind::not_found, fmt::format("mail_owner = {}: unknown user name", name));
  auto identity = TRY(sys::AsUser::enter(owner->uid, owner->gid));
  return service::LockFile::acquire(path);
}

int run(const CommandLine& command_line) {
  config::LoadOptions load;
  load.directory = command_line.options.config_directory;
  load.process_name = "master";
  auto config = config::Config::load(load);
  if (!config) log::fatal("{}", config.error().text);
  std::string queue = config->get(params::queue_directory);
  if (::chdir(queue.c_str()) < 0) log::fatal("chdir {}: {}", queue, strerror(errno));
  if (command_line.test_lock) {
    auto held = lock(*config);
    return held || held.error().kind != ErrorKind::temporary ? 0 : 1;
  }
  sys::set_tcp_buffer_size(config->get(params::tcp_windowsize));
  service::open_log(*config, "master", {.to_stderr = false, .verbose = command_line.options.verbose});
  service::check_config(*config);
  sys::Fd ready;
  if (!command_line.foreground) ready = become_daemon(command_line.wait_ready);
  if (command_line.foreground && !command_line.options.init) ::setpgid(0, 0);
  auto pid_file = lock(*config);
  if (!pid_file) log::fatal("{}", pid_file.error().text);
  auto data_lock = lock_data(*config);
  if (!data_lock) log::fatal("{}", data_lock.error().text);
  for (service::LockFile* file : {&*pid_file, &*data_lock}) {
    if (auto written = file->write_pid(::getpid()); !written) log::fatal("{}", written.error().text);
  }
  ::umask(077);
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  service::log_config_warnings(*config);

  io::Loop loop;
  loop.at_turn_end([] { log::flush(); });
  Master master(command_line.options, std::move(*config));
  if (auto started = master.start(); !started) log::fatal("{}", started.error().text);
  loop.on_signal(SIGCHLD, [&] { master.reap_children(); });
  loop.on_signal(SIGHUP, [&] { master.reload(); });
  for (int number : {SIGTERM, SIGINT, SIGQUIT})
    loop.on_signal(number, [&, number] { master.terminate(number); });
  io::Timer exit_timer([&] { master.terminate(SIGALRM); });
  if (command_line.exit_after > 0) exit_timer.start(seconds(command_line.exit_after));
  log::info("daemon started -- version {}, configuration {}", master.config().get(params::mail_version),
            master.config().directory());
  if (ready) (void)sys::write_all(ready.get(), "r");
  ready.reset();
  loop.run();
  return 0;
}

}  // namespace
}  // namespace postrider::master

int main(int argc, char** argv) {
  using namespace postrider;
  log::open({.ident = "postfix/master", .to_stderr = true});
  try {
    return master::run(master::parse(argc, argv));
  } catch (const config::ConfigError& error) {
    service::fatal_config(error);
  }
}

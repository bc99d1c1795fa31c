#include "service/daemon.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/paths.h"
#include "io/sync.h"
#include "log/log.h"
#include "service/acceptor.h"
#include "service/log_setup.h"
#include "service/master_link.h"
#include "service/probe.h"
#include "service/standard_io.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/tcp_buffers.h"
#include "sys/user.h"

namespace postrider::service {

namespace params = config::params;

struct Daemon::State {
  Traits traits;
  Arguments arguments;
  config::Config config;
  io::Loop loop;
  std::optional<sys::User> owner;  // mail_owner; none when rootless.
  std::vector<io::Task> start_tasks;
  std::function<void()> on_retire;
  std::function<void()> before_leaving;
  std::optional<Probe> probe;
  std::unique_ptr<MasterLink> master;
  std::unique_ptr<Acceptor> acceptor;
  seconds watchdog_limit;
  std::optional<io::Timer> watchdog;
  int holds = 0;
  bool retiring = false;

  void retire();
  void leave_when_done();
  [[noreturn]] void leave();
  [[noreturn]] void run_loop();
  void feed_watchdog();
  AcceptorLimits limits() const;
};

namespace {

config::Config load_config(const Traits& traits, const Arguments& arguments) {
  config::LoadOptions options;
  options.process_name = std::string(traits.name);
  options.service_name = arguments.service_name;
  options.overrides = arguments.overrides;
  auto config = config::Config::load(options);
  if (!config) log::fatal("{}", config.error().text);
  return std::move(*config);
}

/// The command has $process_id in it, attaches to this process, and should not come back before that.
void run_debugger(const config::Config& config) {
  std::string command = config.get(params::debugger_command);
  if (command.empty()) return;
  auto child = sys::spawn({.argv = {"/bin/sh", "-c", command}, .environment = sys::environment()});
  auto status = child ? sys::wait_for(*child) : Result<int>(std::unexpected(child.error()));
  if (!status) log::warning("debugger_command: {}", status.error().text);
}

void ignore_signals() {
  for (int number : {SIGPIPE, SIGXFSZ, SIGHUP})
    signal(number, SIG_IGN);
}

}  // namespace

Daemon::Daemon(const Traits& traits, Arguments arguments)
    : state_(new State{.traits = traits, .arguments = arguments, .config = load_config(traits, arguments)}) {
  State& s = *state_;
  s.watchdog_limit = s.config.get(params::daemon_timeout);
  sys::set_tcp_buffer_size(s.config.get(params::tcp_windowsize));
  ignore_signals();
  open_log(s.config, s.traits.name,
           {.to_stderr = !s.arguments.probe.empty(), .verbose = s.arguments.verbose});
  log_override_warnings(s.config);
  check_config(s.config);
  s.loop.at_turn_end([] { log::flush(); });
  s.loop.on_signal(SIGTERM, [&s] { s.leave(); });
  io::set_fiber_error_handler([](const char* text) { log::error("unexpected exception: {}", text); });
  log::set_session_source([] { return io::fiber_label(); });
  if (s.arguments.debugger) run_debugger(s.config);
  if (!s.arguments.stand_alone) {
    std::string queue = s.config.get(params::queue_directory);
    if (::chdir(queue.c_str()) < 0) log::fatal("chdir {}: {}", queue, strerror(errno));
  }
  if (!rootless()) {
    std::string name = s.config.get(params::mail_owner);
    auto owner = sys::find_user(name);
    if (!owner) log::fatal("{}", owner.error().text);
    if (!*owner) log::fatal("{} = {}: unknown user name", "mail_owner", name);
    s.owner = **owner;
  }
}

Daemon::~Daemon() = default;

const config::Config& Daemon::config() const {
  return state_->config;
}
const Arguments& Daemon::arguments() const {
  return state_->arguments;
}
bool Daemon::rootless() const {
  return ::geteuid() != 0 && !state_->owner;
}
int Daemon::max_clients() const {
  return state_->limits().max_clients;
}
bool Daemon::retiring() const {
  return state_->retiring;
}
void Daemon::retire() {
  state_->retire();
}
void Daemon::at_start(io::Task task) {
  state_->start_tasks.push_back(std::move(task));
}
void Daemon::on_retire(std::function<void()> call) {
  state_->on_retire = std::move(call);
}
void Daemon::on_leave(std::function<void()> call) {
  state_->before_leaving = std::move(call);
}
void Daemon::hold() {
  ++state_->holds;
}
void Daemon::leave() {
  state_->leave();
}
void Daemon::set_watchdog(seconds limit) {
  state_->watchdog_limit = limit;
}
void Daemon::release() {
  --state_->holds;
  state_->leave_when_done();
}

void Daemon::drop_privileges() {
  State& s = *state_;
  if (!s.owner) return;
  if (s.arguments.change_root && (::chroot(".") < 0 || ::chdir("/") < 0)) {
    log::fatal("chroot {}: {}", s.config.get(params::queue_directory), strerror(errno));
  }
  if (s.arguments.drop_privileges) become_owner();
}

void Daemon::become_owner() {
  const State& s = *state_;
  if (!s.owner) return;
  if (auto done = sys::become_user(s.owner->uid, s.owner->gid); !done) log::fatal("{}", done.error().text);
}

void Daemon::confine(sandbox::Profile profile) {
  State& s = *state_;
  const sandbox::Profile own = profile;
  for (std::string& path : sandbox::system_paths())
    profile.read.push_back(std::move(path));
  profile.read.push_back(s.config.get(params::config_directory));
  // Table types are loaded when the first table of one is opened, wherever this system was installed.
  for (const std::string& directory :
       {s.config.get(params::daemon_directory), s.config.get(params::shlib_directory),
        std::string(config::paths::shlib_directory)})
    if (directory.starts_with('/')) profile.read.push_back(directory);
  profile.read.push_back("public");  // To find the sockets of the other services.
  profile.read.push_back("private");
  if (const std::string& file = log::settings().fallback_file; !file.empty()) {
    profile.write.push_back(sys::directory_of(file));
  }
  if (!s.arguments.probe.empty()) {
    auto probe = Probe::prepare(s.arguments.probe);
    if (!probe) log::fatal("{}", probe.error().text);
    s.probe.emplace(std::move(*probe));
  }
  auto confined = sandbox::enter(profile);
  if (!confined) log::fatal("{}", confined.error().text);
  if (s.probe) s.probe->run(own, *confined);
  if (log::verbose()) {
    log::debug("confined (Landlock {}, system call filter: {}): {}", confined->landlock_abi,
               confined->filtered ? "yes" : "no", sandbox::describe(profile));
  }
}

AcceptorLimits Daemon::State::limits() const {
  AcceptorLimits out;
  out.max_clients = traits.one_client ? 1 : std::max(1, arguments.max_clients);
  // max_use counts clients. A process that serves many at a time would be replaced every fraction of a second
  // if it counted alike, so each of its places counts for itself.
  out.max_use = static_cast<size_t>(config.get(params::max_use)) * static_cast<size_t>(out.max_clients);
  out.max_idle = config.get(params::max_idle);
  if (traits.own_limits) {
    out.max_clients = std::numeric_limits<int>::max();
    out.max_use = 0;
  }
  if (traits.never_idle_out) {
    out.max_use = 0;
    out.max_idle = seconds(0);
  }
  return out;
}

void Daemon::State::leave() {
  if (before_leaving) before_leaving();
  log::flush();
  ::_exit(0);
}

void Daemon::State::retire() {
  if (retiring) return;
  retiring = true;
  if (acceptor) acceptor->stop();
  if (on_retire) on_retire();
  leave_when_done();
}

void Daemon::State::leave_when_done() {
  if (retiring && holds == 0 && (!acceptor || acceptor->active() == 0)) leave();
}

/// A process that is stuck in one turn of its loop gets no more timers, and the signal ends it: master starts
/// another.
void Daemon::State::feed_watchdog() {
  auto limit = static_cast<unsigned>(watchdog_limit.count());
  ::alarm(limit);
  watchdog->start(seconds(std::max(1U, limit / 3)));
}

void Daemon::State::run_loop() {
  watchdog.emplace([this] { feed_watchdog(); });
  feed_watchdog();
  for (io::Task& task : start_tasks)
    io::spawn(std::move(task));
  start_tasks.clear();
  loop.run();
  leave();
}

void Daemon::serve(std::function<void(Client)> handler) {
  State& s = *state_;
  if (s.arguments.stand_alone) {
    static StandardIo standard;
    auto fd = standard.open();
    if (!fd) log::fatal("{}", fd.error().text);
    io::spawn([&s, handler = std::move(handler), fd = std::move(*fd)]() mutable {
      sys::Address peer = sys::peer_address(STDIN_FILENO).value_or(sys::Address());
      handler(Client{io::Stream(std::move(fd)), peer, std::nullopt, false});
      standard.finish();
      s.leave();
    });
    s.run_loop();
  }
  s.acceptor = std::make_unique<Acceptor>(s.limits(), [handler = std::move(handler)](Arrival arrived) {
    handler(Client{io::Stream(std::move(arrived.fd)), arrived.peer, arrived.local, arrived.passed});
  });
  s.acceptor->on_room([&s](Room room) {
    constexpr std::array<char, 4> kStates{kAvailable, kLagging, kTaken, kLeaving};
    if (s.master) s.master->report(kStates[static_cast<size_t>(room)]);
  });
  s.acceptor->on_idle([&s] { s.leave_when_done(); });
  s.acceptor->on_worn_out([&s] { s.retire(); });
  s.master = std::make_unique<MasterLink>(kStatusFd, [&s] { s.retire(); });
  for (int i = 0; i < s.arguments.listeners; ++i) {
    s.acceptor->add_listener(sys::Fd(kFirstListenerFd + i), s.arguments.type == config::ServiceType::pass);
  }
  s.run_loop();
}

void Daemon::serve_triggers(std::function<void(std::string_view)> handler) {
  State& s = *state_;
  auto mutex = std::make_shared<io::Mutex>();
  auto handle = [mutex, handler = std::move(handler)](std::string_view request) {
    mutex->lock(Deadline::never());
    handler(request);
    mutex->unlock();
  };
  if (s.arguments.type == config::ServiceType::fifo) {
    s.master = std::make_unique<MasterLink>(kStatusFd, [&s] { s.retire(); });
    s.master->report(kAvailable);
    io::spawn([handle] {
      io::Stream fifo{sys::Fd(kFirstListenerFd)};
      while (fifo.fill(Deadline::never()).value_or(false)) {
        std::string request(fifo.buffered());
        fifo.consume(request.size());
        handle(request);
      }
    });
    s.run_loop();
  }
  serve([&s, handle](Client client) {
    // A trigger is a short write; whoever sends it need not wait for the work.
    auto arrived = client.stream.fill(Deadline::after(s.config.get(params::trigger_timeout)));
    std::string request(client.stream.buffered());
    if (arrived && !request.empty()) handle(request);
  });
}

void Daemon::serve_datagrams(std::function<void(std::string_view)> handler) {
  State& s = *state_;
  s.master = std::make_unique<MasterLink>(kStatusFd, [&s] { s.retire(); });
  s.master->report(kAvailable);  // Or its death would pass for a start that failed.
  (void)sys::set_nonblocking(kFirstListenerFd);
  auto drain = [handler = std::move(handler), buffer = std::make_shared<std::array<char, 65536>>()] {
    for (;;) {
      auto count = sys::read_some(kFirstListenerFd, buffer->data(), buffer->size());
      if (!count) return;
      handler(std::string_view(buffer->data(), *count));
    }
  };
  // What was sent before this process was told to leave is its own to handle.
  s.before_leaving = drain;
  io::spawn([drain] {
    io::FdEvents events(kFirstListenerFd);
    for (;;) {
      drain();
      events.wait_readable(Deadline::never());
    }
  });
  s.run_loop();
}

int run(int argc, char** argv, const Traits& traits, const std::function<void(Daemon&)>& body) {
  log::open({.ident = std::string(traits.name), .to_stderr = true});
  auto arguments = parse_arguments(argc, argv);
  if (!arguments) log::fatal("{}", arguments.error().text);
  try {
    Daemon daemon(traits, std::move(*arguments));
    body(daemon);
  } catch (const config::ConfigError& error) {
    fatal_config(error);
  } catch (const std::exception& error) {
    log::fatal("{}", error.what());
  }
  return 0;
}

}  // namespace postrider::service

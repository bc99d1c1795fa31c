#include "master/running_service.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "log/log.h"
#include "service/master_link.h"
#include "sys/file.h"
#include "sys/name_service.h"
#include "sys/process.h"

namespace postrider::master {

using config::ServiceType;

namespace {
constexpr seconds kLimitWarningInterval(1000);
constexpr seconds kStressTime(1000);
/// The number of a port that is given by name.
std::string port_text(const std::string& service) {
  auto port = sys::service_port(service);
  return port ? fmt::format("{}", *port) : service;
}

}  // namespace

/// One process.
struct RunningService::Child {
  pid_t pid = 0;
  int slot = 0;
  sys::Fd link;
  std::unique_ptr<io::ReadWatch> watch;
  bool available = true;
  bool full = false;      // Its clients are as many as it may have.
  bool served = false;    // It got as far as serving.
  bool retiring = false;  // It takes no more clients; those that it has are its own business.
};

RunningService::RunningService(const Surroundings& surroundings, config::MasterService entry,
                               Listeners listeners)
    : surroundings_(surroundings),
      entry_(std::move(entry)),
      listeners_(std::move(listeners)),
      throttle_timer_([this] {
        throttled_ = false;
        watch();
      }),
      wakeup_timer_([this] { wake_up(); }) {}

RunningService::~RunningService() = default;

void RunningService::start() {
  plan_ = make_plan(*surroundings_.config, entry_.command, entry_.process_limit.value_or(-1),
                    surroundings_.cores);
  watches_.clear();
  for (const sys::Fd& fd : listeners_.fds) {
    watches_.push_back(std::make_unique<io::ReadWatch>(fd.get(), [this] { on_client_waiting(); }));
  }
  watch();
  // The first wake-up comes at once: mail that waited while the system was down. A conditional one comes with
  // the first client.
  if (entry_.wakeup_seconds > 0 && (!entry_.wakeup_only_if_used || used_))
    wakeup_timer_.start(Clock::duration::zero());
}

void RunningService::reload(config::MasterService entry, std::optional<Listeners> listeners) {
  entry_ = std::move(entry);
  if (listeners) {
    watches_.clear();
    listeners_ = std::move(*listeners);
  }
  throttled_ = false;
  throttle_timer_.cancel();
  wakeup_timer_.cancel();
  retire_children();
  start();
}

void RunningService::close() {
  closed_ = true;
  watches_.clear();
  throttle_timer_.cancel();
  wakeup_timer_.cancel();
  retire_children();
  listeners_.fds.clear();
  if (!listeners_.path.empty()) (void)sys::unlink_file(listeners_.path);
}

void RunningService::retire_children() {
  for (auto& child : children_) {
    child->retiring = true;
    char message = service::kRetire;
    (void)::send(child->link.get(), &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

int RunningService::available() const {
  return static_cast<int>(std::count_if(children_.begin(), children_.end(),
                                        [](const auto& c) { return c->available && !c->retiring; }));
}

int RunningService::free_slot(int but) const {
  for (int slot = 0; slot < plan_.processes; ++slot) {
    if (slot == but) continue;
    bool taken = std::any_of(children_.begin(), children_.end(),
                             [&](const auto& c) { return !c->retiring && c->slot == slot; });
    if (!taken) return slot;
  }
  return -1;
}

/// Waits for clients when no process would take one and another process may be started.
void RunningService::watch() {
  if (closed_) return;
  bool wanted = !throttled_ && available() == 0 && free_slot() >= 0;
  for (auto& watch : watches_)
    wanted ? watch->enable() : watch->disable();
}

void RunningService::on_client_waiting() {
  spawn();
  watch();
}

std::string RunningService::program() const {
  return entry_.command.starts_with('/') ? entry_.command
                                         : surroundings_.daemon_directory + "/" + entry_.command;
}

std::vector<std::string> RunningService::arguments(int slot) const {
  std::vector<std::string> out{program()};
  auto add = [&out](std::string option, std::string value) {
    out.push_back(std::move(option));
    out.push_back(std::move(value));
  };
  add("-n", entry_.name);
  add("-t", std::string(config::service_type_name(entry_.type)));
  if (listeners_.fds.size() != 1) add("-s", fmt::format("{}", listeners_.fds.size()));
  add("-m", fmt::format("{}", plan_.clients_of(slot)));
  add("-g", fmt::format("{}", surroundings_.generation));
  if (entry_.unprivileged && !surroundings_.rootless) out.emplace_back("-u");
  if (entry_.chroot.value_or(surroundings_.chroot_by_default) && !surroundings_.rootless)
    out.emplace_back("-c");
  for (int i = 0; i < surroundings_.verbose; ++i)
    out.emplace_back("-v");
  if (entry_.type == ServiceType::inet) add("-o", Clock::now() < stress_until_ ? "stress=yes" : "stress=");
  out.insert(out.end(), entry_.arguments.begin(), entry_.arguments.end());
  return out;
}

void RunningService::spawn() {
  int slot = free_slot();
  auto link = sys::make_socket_pair(SOCK_SEQPACKET);
  if (slot < 0 || !link) return throttle(link ? "no room" : link.error().text);
  // The last client that may come is served under stress already, as by the last process of Postfix.
  if (plan_.clients_of(slot) == 1 && free_slot(slot) < 0 && all_full()) on_limit();
  sys::SpawnRequest request;
  request.argv = arguments(slot);
  request.environment = surroundings_.environment;
  request.descriptors = {{STDOUT_FILENO, STDOUT_FILENO},
                         {STDERR_FILENO, STDERR_FILENO},
                         {link->second.get(), service::kStatusFd}};
  for (size_t i = 0; i < listeners_.fds.size(); ++i) {
    request.descriptors.emplace_back(listeners_.fds[i].get(),
                                     service::kFirstListenerFd + static_cast<int>(i));
  }
  auto pid = sys::spawn(request);
  if (!pid) return throttle(pid.error().text);
  auto child = std::make_unique<Child>();
  Child* c = child.get();
  c->pid = *pid;
  c->slot = slot;
  c->link = std::move(link->first);
  c->watch = std::make_unique<io::ReadWatch>(c->link.get(), [this, c] { on_status(*c); });
  c->watch->enable();
  children_.push_back(std::move(child));
  if (!std::exchange(used_, true) && entry_.wakeup_seconds > 0 && entry_.wakeup_only_if_used) {
    wakeup_timer_.start(seconds(entry_.wakeup_seconds));
  }
}

void RunningService::on_status(Child& child) {
  char message = 0;
  ssize_t count = ::recv(child.link.get(), &message, 1, MSG_DONTWAIT);
  if (count < 0) return;
  if (count == 0) return child.watch->disable();  // It has ended; reap() does the rest.
  child.served = true;
  child.available = message == service::kAvailable;
  child.full = message == service::kTaken;
  if (message == service::kLeaving) child.retiring = true;
  watch();
  if (free_slot() < 0 && all_full()) on_limit();
}

bool RunningService::all_full() const {
  return std::all_of(children_.begin(), children_.end(),
                     [](const auto& c) { return c->full || c->retiring; });
}

/// All clients that the service may have are there.
void RunningService::on_limit() {
  // A service for one client at a time is as it was meant to be.
  if (entry_.type != ServiceType::inet || plan_.clients == 1) return;
  Clock::time_point now = Clock::now();
  // Processes that treat their clients less patiently take over.
  if (now >= stress_until_) retire_children();
  stress_until_ = now + kStressTime;
  if (limit_warned_ != Clock::time_point::min() && now < limit_warned_ + kLimitWarningInterval) return;
  limit_warned_ = now;
  log::warning(
      "service \"{}\" ({}) has reached its process limit \"{}\": new clients may experience noticeable "
      "delays",
      entry_.name, port_text(entry_.name), plan_.clients);
  log::warning(
      "to avoid this condition, increase the process count in master.cf or reduce the service time per "
      "client");
}

void RunningService::throttle(std::string_view reason) {
  log::warning("service {}: {}", entry_.name, reason);
  throttled_ = true;
  throttle_timer_.start(surroundings_.throttle_time);
  watch();
}

bool RunningService::reap(pid_t pid, int status) {
  auto it = std::find_if(children_.begin(), children_.end(), [&](const auto& c) { return c->pid == pid; });
  if (it == children_.end()) return false;
  bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (WIFEXITED(status) && !clean) {
    log::warning("process {} pid {} exit status {}", program(), pid, WEXITSTATUS(status));
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    log::warning("process {} pid {} killed by signal {}: watchdog timeout", program(), pid, SIGALRM);
  } else if (WIFSIGNALED(status)) {
    log::warning("process {} pid {} killed by signal {}", program(), pid, WTERMSIG(status));
  }
  // The last status message may still be unread.
  char message;
  while (::recv((*it)->link.get(), &message, 1, MSG_DONTWAIT) > 0)
    (*it)->served = true;
  bool startup_failed = !clean && !(*it)->served && !(*it)->retiring;
  children_.erase(it);
  if (startup_failed && !throttled_) {
    log::warning("{}: bad command startup -- throttling", program());
    throttled_ = true;
    throttle_timer_.start(surroundings_.throttle_time);
  }
  watch();
  return true;
}

void RunningService::kill_all(int signal_number) const {
  for (const auto& child : children_)
    ::kill(child->pid, signal_number);
}

void RunningService::wake_up() {
  wakeup_timer_.start(seconds(entry_.wakeup_seconds));
  if (throttled_) return;
  if (entry_.type == ServiceType::fifo) {
    if (auto fifo = sys::open_file(listeners_.path, O_WRONLY | O_NONBLOCK))
      (void)sys::write_all(fifo->get(), "W");
    return;
  }
  auto address = listeners_.path.empty() ? Result<sys::Address>(listeners_.addresses.front())
                                         : sys::Address::from_path(listeners_.path);
  if (!address) return;
  auto socket = sys::start_connect(*address);
  if (socket) {
    (void)sys::write_all(socket->get(), "W");
  } else {
    log::warning("wake up {}: {}", entry_.name, socket.error().text);
  }
}

}  // namespace postrider::master

// A service of master.cf and its processes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/master_cf.h"
#include "io/loop.h"
#include "master/listeners.h"
#include "master/plan.h"
#include "service/arguments.h"

namespace postrider::master {

/// What all services need to start processes.
struct Surroundings {
  const config::Config* config = nullptr;
  std::vector<std::string> environment;  ///< Of the children.
  std::string daemon_directory;
  int cores = 1;
  int generation = 0;
  int verbose = 0;
  bool rootless = false;
  bool chroot_by_default = false;  ///< For "-" in the chroot column.
  seconds throttle_time{60};
};

/// Starts processes when clients come and none is free, wakes the service up at its intervals, and retires
/// processes of an older configuration.
class RunningService {
 public:
  RunningService(const Surroundings& surroundings, config::MasterService entry, Listeners listeners);
  ~RunningService();

  const config::MasterService& entry() const { return entry_; }
  const Listeners& listeners() const { return listeners_; }
  size_t processes() const { return children_.size(); }

  void start();
  /// Takes on a new configuration: the entry of the same service, and the old processes retire.
  void reload(config::MasterService entry, std::optional<Listeners> listeners);
  /// Stops listening and retires all processes; the object can go when processes() is 0.
  void close();
  /// Whether the process was one of this service's.
  bool reap(pid_t pid, int status);
  void kill_all(int signal_number) const;

 private:
  struct Child;
  void watch();
  void on_client_waiting();
  void spawn();
  void on_status(Child& child);
  void throttle(std::string_view reason);
  bool all_full() const;
  void on_limit();
  void wake_up();
  void retire_children();
  std::string program() const;
  std::vector<std::string> arguments(int slot) const;
  /// None: -1. `but`: one that does not count.
  int free_slot(int but = -1) const;
  int available() const;

  const Surroundings& surroundings_;
  config::MasterService entry_;
  Listeners listeners_;
  Plan plan_;
  std::vector<std::unique_ptr<io::ReadWatch>> watches_;
  std::vector<std::unique_ptr<Child>> children_;
  bool throttled_ = false;
  bool closed_ = false;
  bool used_ = false;  // Some process has been started: conditional wake-ups begin.
  Clock::time_point limit_warned_ = Clock::time_point::min();
  Clock::time_point stress_until_ = Clock::time_point::min();
  io::Timer throttle_timer_;
  io::Timer wakeup_timer_;
};

}  // namespace postrider::master

// The skeleton of a daemon. Its main() reads as a statement:
//
//   int main(int argc, char** argv) {
//     return service::run(argc, argv, {.name = "showq"}, [](service::Daemon& daemon) {
//       showq::Settings settings(daemon.config());                 // configuration
//       queue::Store store = ...;                                  // open
//       daemon.drop_privileges();                                  // chroot, identity
//       daemon.confine({.name = "showq", .read = {...}});          // sandbox
//       daemon.serve([&](service::Client client) { ... });         // serve
//     });
//   }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "io/loop.h"
#include "io/stream.h"
#include "sandbox/profile.h"
#include "service/arguments.h"
#include "sys/socket.h"

namespace postrider::service {

/// What a daemon is, apart from its configuration.
struct Traits {
  std::string_view name;  ///< Of the program: "smtpd".
  bool one_client =
      false;  ///< Serves one client at a time whatever master says: it takes on users' identities.
  bool never_idle_out = false;  ///< Ends only when told: it holds state (qmgr).
  bool own_limits = false;      ///< Takes all who come: it limits its clients itself (postscreen).
};

/// Someone who connected.
struct Client {
  io::Stream stream;
  sys::Address peer;
  /// What it has connected to; nothing: the descriptor tells.
  std::optional<sys::Address> local;
  bool passed = false;  ///< By another service (postscreen), which has talked to it, perhaps.
};

class Daemon {
 public:
  Daemon(const Traits& traits, Arguments arguments);
  ~Daemon();

  const config::Config& config() const;
  const Arguments& arguments() const;
  /// Whether master runs without root: every process is the same user then.
  bool rootless() const;

  /// Enters the chroot and becomes mail_owner, as the columns of master.cf say. What needs more is opened
  /// before.
  void drop_privileges();
  /// Becomes mail_owner whatever the unprivileged column says: for daemons whose helper does what needs more.
  void become_owner();
  /// Puts the profile in force; the directories of the log, of shared libraries and of the configuration are
  /// added to what it may read.
  void confine(sandbox::Profile profile);

  /// Serves connections, each in a fiber, until master says otherwise or nobody has come for max_idle.
  [[noreturn]] void serve(std::function<void(Client)> handler);
  /// Serves one-letter requests written to the socket or FIFO; `handler` gets them as they come, one call at
  /// a time.
  [[noreturn]] void serve_triggers(std::function<void(std::string_view)> handler);
  /// Serves datagrams.
  [[noreturn]] void serve_datagrams(std::function<void(std::string_view)> handler);

  /// Spawned as a fiber when serving begins: work that does not wait for clients.
  void at_start(io::Task task);
  /// Clients that this process serves at a time.
  int max_clients() const;
  /// True once master has asked this process to leave, or retire() has been called.
  bool retiring() const;
  /// Takes no more clients, and leaves when those that are here have been served.
  void retire();
  /// Called (not in a fiber) when that happens.
  void on_retire(std::function<void()> call);
  /// Called (not in a fiber) at the very end, also when the mail system is stopped: for what is not on disk
  /// yet.
  void on_leave(std::function<void()> call);
  /// Keeps the process from leaving while work goes on that no client waits for.
  void hold();
  void release();
  /// Leaves now, whoever may still be connected.
  [[noreturn]] void leave();
  /// How long one turn of the loop may take before the process is taken for stuck and ended; daemon_timeout
  /// unless this is called.
  void set_watchdog(seconds limit);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

/// Parses the command line, loads the configuration, opens the log and runs `body`. What it throws at
/// start-up ends the process with a fatal log line.
int run(int argc, char** argv, const Traits& traits, const std::function<void(Daemon&)>& body);

}  // namespace postrider::service

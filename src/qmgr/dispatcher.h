// Connections to the delivery agents: who gets which entry.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/text.h"
#include "config/config.h"
#include "io/loop.h"
#include "ipc/connection.h"
#include "proto/delivery.h"
#include "qmgr/scheduler.h"

namespace postrider::qmgr {

/// What the dispatcher tells its owner.
struct DispatcherEvents {
  std::function<proto::DeliverRequest(const Entry&)> request;
  /// The agent has answered, or an error: it went away with the work.
  std::function<void(Entry, Result<proto::DeliverReply>)> done;
  /// The transport's agents cannot be reached.
  std::function<void(Transport&, const Error&)> unavailable;
};

/// Keeps one connection per delivery process and fills its credits.
class Dispatcher {
 public:
  Dispatcher(const config::Config& config, Scheduler& scheduler, DispatcherEvents events);
  ~Dispatcher();

  /// Gives out whatever may be delivered now. Never suspends.
  void kick(Transport& transport);
  /// Gives out nothing any more.
  void stop() { stopped_ = true; }
  /// Whether a transport whose agents could not be reached waits for its next try.
  bool throttled(const Transport& transport) const;
  /// Lets it try now.
  void forget_failure(const Transport& transport);
  /// Lets all of them try now.
  void forget_failures();

 private:
  struct Agent;
  struct Pool;
  Pool& pool(Transport& transport);
  Agent* free_agent(Pool& pool);
  void give(Agent& agent, Entry entry);
  void connect(Pool& pool);
  void run_agent(Pool& pool, std::shared_ptr<Agent> agent);
  void lose(Pool& pool, Agent& agent, const Error& error);
  void set_alarm(Pool& pool);

  Scheduler& scheduler_;
  DispatcherEvents events_;
  seconds idle_, timeout_, retry_time_;
  bool stopped_ = false;
  std::unordered_map<std::string, std::unique_ptr<Pool>, TextHash, std::equal_to<>> pools_;
};

}  // namespace postrider::qmgr

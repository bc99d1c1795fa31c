#include "qmgr/dispatcher.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "clients/endpoint.h"
#include "config/params/instance.h"
#include "config/params/qmgr.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "ipc/client.h"
#include "log/log.h"

namespace postrider::qmgr {

namespace params = config::params;

namespace {
// Connections that no process has greeted yet: more would only wait in the socket.
constexpr int kMaxPending = 2;
}  // namespace

/// One delivery process.
struct Dispatcher::Agent : std::enable_shared_from_this<Dispatcher::Agent> {
  std::shared_ptr<ipc::Connection> connection;
  uint32_t credits = 0;  // 0: not greeted yet.
  bool retiring = false;
  bool flushing = false;
  uint32_t next_id = 1;
  std::unordered_map<uint32_t, Entry> in_flight;

  bool has_room() const { return !retiring && in_flight.size() < credits; }
};

struct Dispatcher::Pool {
  Pool(Transport& t, ipc::Endpoint e, std::function<void()> wake)
      : transport(&t), endpoint(std::move(e)), alarm(std::move(wake)) {}
  Transport* transport;
  ipc::Endpoint endpoint;
  std::vector<std::shared_ptr<Agent>> agents;
  int pending = 0;
  Clock::time_point throttled_until = Clock::time_point::min();
  io::Timer alarm;
};

Dispatcher::Dispatcher(const config::Config& config, Scheduler& scheduler, DispatcherEvents events)
    : scheduler_(scheduler),
      events_(std::move(events)),
      idle_(config.get(params::ipc_idle)),
      timeout_(config.get(params::qmgr_ipc_timeout)),
      retry_time_(config.get(params::transport_retry_time)) {}

Dispatcher::~Dispatcher() = default;

Dispatcher::Pool& Dispatcher::pool(Transport& transport) {
  auto it = pools_.find(transport.name);
  if (it == pools_.end()) {
    ipc::Endpoint endpoint{
        .path = "private/" + transport.name, .asker = "qmgr", .idle = idle_, .timeout = timeout_};
    it = pools_
             .emplace(transport.name, std::make_unique<Pool>(transport, std::move(endpoint),
                                                             [this, &transport] { kick(transport); }))
             .first;
  }
  return *it->second;
}

bool Dispatcher::throttled(const Transport& transport) const {
  auto it = pools_.find(transport.name);
  return it != pools_.end() && Clock::now() < it->second->throttled_until;
}

void Dispatcher::forget_failure(const Transport& transport) {
  auto it = pools_.find(transport.name);
  if (it != pools_.end()) it->second->throttled_until = Clock::time_point::min();
}

void Dispatcher::forget_failures() {
  for (auto& [name, p] : pools_)
    p->throttled_until = Clock::time_point::min();
}

Dispatcher::Agent* Dispatcher::free_agent(Pool& pool) {
  // The fullest first: what one process can do needs no second one, which then falls idle and leaves.
  Agent* best = nullptr;
  for (const auto& agent : pool.agents) {
    if (agent->has_room() && (best == nullptr || agent->in_flight.size() > best->in_flight.size())) {
      best = agent.get();
    }
  }
  return best;
}

void Dispatcher::kick(Transport& transport) {
  if (stopped_) return;
  Pool& p = pool(transport);
  Clock::time_point now = Clock::now();
  if (now < p.throttled_until) return set_alarm(p);
  while (scheduler_.ready(transport, now)) {
    Agent* agent = free_agent(p);
    if (agent == nullptr) {
      // Of a transport that nobody has reached yet, one connection tells enough.
      if (p.pending < (p.agents.empty() ? 1 : kMaxPending)) connect(p);
      return;
    }
    give(*agent, *scheduler_.next(transport, now));
  }
  set_alarm(p);
}

void Dispatcher::set_alarm(Pool& p) {
  std::optional<Clock::time_point> when = scheduler_.wake_time(*p.transport);
  if (!when) return p.alarm.cancel();
  p.alarm.start(
      std::max(std::max(*when, p.throttled_until) - Clock::now(), Clock::duration(milliseconds(1))));
}

void Dispatcher::give(Agent& agent, Entry entry) {
  uint32_t id = agent.next_id++;
  proto::DeliverRequest request = events_.request(entry);
  auto it = agent.in_flight.emplace(id, std::move(entry)).first;
  if (auto put = agent.connection->put(request, id); !put) {
    // Only a field beyond the protocol's maxima: the fault of this message alone.
    Entry back = std::move(it->second);
    agent.in_flight.erase(it);
    return events_.done(std::move(back), std::unexpected(put.error()));
  }
  if (std::exchange(agent.flushing, true)) return;
  // Runs when this turn's requests have all been added: they leave together.
  std::shared_ptr<Agent> kept = agent.shared_from_this();
  io::spawn([kept, timeout = timeout_] {
    kept->flushing = false;
    (void)kept->connection->flush(Deadline::after(timeout));
  });
}

void Dispatcher::connect(Pool& p) {
  ++p.pending;
  io::spawn([this, &p] {
    auto connection = ipc::connect(p.endpoint, Deadline::after(timeout_));
    if (!connection) {
      --p.pending;
      log::warning("connect to transport {}: {}", p.endpoint.path, strerror(connection.error().code));
      p.throttled_until = Clock::now() + retry_time_;
      events_.unavailable(*p.transport, connection.error());
      return kick(*p.transport);
    }
    auto agent = std::make_shared<Agent>();
    agent->connection = std::move(*connection);
    p.agents.push_back(agent);
    // However long it takes: with all processes of the transport busy, it is their turn first.
    auto greeted = agent->connection->flush(Deadline::never());
    if (greeted) greeted = agent->connection->receive_hello(Deadline::never());
    --p.pending;
    if (!greeted) {
      // It died at once, most likely of its configuration: the next one would, too.
      log::warning("{} socket: malformed response", p.endpoint.path);
      p.throttled_until = Clock::now() + retry_time_;
      lose(p, *agent, greeted.error());
      events_.unavailable(*p.transport, greeted.error());
      return kick(*p.transport);
    }
    agent->credits = std::max<uint32_t>(1, agent->connection->peer().credits);
    kick(*p.transport);
    run_agent(p, agent);
  });
}

void Dispatcher::run_agent(Pool& p, std::shared_ptr<Agent> agent) {
  ipc::Connection& connection = *agent->connection;
  for (;;) {
    if (agent->retiring && agent->in_flight.empty()) return lose(p, *agent, Error(ErrorKind::closed, ""));
    if (!connection.wait_frame(agent->in_flight.empty() ? Deadline::after(idle_) : Deadline::never())) {
      if (!agent->in_flight.empty()) continue;
      return lose(p, *agent, Error(ErrorKind::closed, ""));
    }
    auto frame = connection.receive(Deadline::after(timeout_));
    if (!frame) {
      if (!agent->in_flight.empty()) log::warning("{} socket: malformed response", p.endpoint.path);
      return lose(p, *agent, frame.error());
    }
    if (frame->type == proto::AgentRetires::kType) {
      agent->retiring = true;
      if (p.transport->waiting > 0) kick(*p.transport);
      continue;
    }
    auto it = agent->in_flight.find(frame->id);
    if (it == agent->in_flight.end())
      return lose(p, *agent, Error(ErrorKind::invalid, "answer to no request"));
    auto reply = ipc::Connection::open_frame<proto::DeliverReply>(*frame);
    Entry entry = std::move(it->second);
    agent->in_flight.erase(it);
    events_.done(std::move(entry), std::move(reply));
    kick(*p.transport);
  }
}

void Dispatcher::lose(Pool& p, Agent& agent, const Error& error) {
  auto entries = std::exchange(agent.in_flight, {});
  std::erase_if(p.agents, [&](const std::shared_ptr<Agent>& other) { return other.get() == &agent; });
  for (auto& [id, entry] : entries)
    events_.done(std::move(entry), std::unexpected(error));
  if (p.transport->waiting > 0) kick(*p.transport);
}

}  // namespace postrider::qmgr

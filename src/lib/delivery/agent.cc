#include "delivery/agent.h"

#include <set>

#include "clients/queue_layout.h"
#include "config/params/system.h"
#include "io/sync.h"
#include "ipc/connection.h"
#include "log/log.h"
#include "queue/store.h"

namespace postrider::delivery {

namespace params = config::params;

namespace {

/// What one queue manager connection has under way.
struct Session {
  Session(io::Stream stream, std::string_view name, uint32_t credits)
      : connection(std::move(stream), name, credits) {}
  ipc::Connection connection;
  io::TaskGroup running;
};

/// What the connections of the process share.
struct Agent {
  service::Daemon& daemon;
  Deliver deliver;
  queue::Store store;
  seconds timeout;
  size_t max_use;
  const table::Catalog* tables;  ///< Null: none of interest.
  size_t delivered = 0;
  std::set<Session*> sessions;

  void check_tables();
  void serve(Session& session);
  proto::DeliverReply work(proto::DeliverRequest request);
};

proto::DeliverReply Agent::work(proto::DeliverRequest request) {
  io::set_fiber_label(request.queue_id);
  auto file = store.open(queue::QueueName::active, request.queue_id, queue::OpenMode::read_write);
  // The lock says to a queue manager that starts meanwhile that the message is being delivered
  // (Completion::put_aside).
  if (auto locked = file ? (*file)->lock_shared(/*wait=*/false) : Result<void>(); !locked)
    file = std::unexpected(locked.error());
  if (!file) {
    log::warning("{}: {}", request.queue_id, file.error().text);
    proto::DeliverReply reply;
    reply.deferred = true;
    return reply;
  }
  Job job{std::move(request), std::move(*file)};
  return deliver(job);
}

/// Tables are opened with more rights than are left later.
void Agent::check_tables() {
  if (tables == nullptr || daemon.retiring()) return;
  std::string changed = tables->stale_table();
  if (changed.empty()) return;
  log::info("table {} has changed -- restarting", changed);
  daemon.retire();
}

void Agent::serve(Session& session) {
  ipc::Connection& connection = session.connection;
  // The greeting tells the queue manager what this process takes on.
  if (!connection.flush(Deadline::after(timeout))) return;
  bool told = false;
  for (;;) {
    if (!told && daemon.retiring()) {
      told = true;
      if (!connection.send(proto::AgentRetires{}, Deadline::after(timeout))) return;
    }
    connection.wait_frame(Deadline::never());
    if (!told && daemon.retiring()) continue;
    auto frame = connection.receive(Deadline::after(timeout));
    if (!frame) {
      if (frame.error().kind != ErrorKind::closed) log::warning("queue manager: {}", frame.error().text);
      return;
    }
    auto request = ipc::Connection::open_frame<proto::DeliverRequest>(*frame);
    if (!request) return log::warning("queue manager: {}", request.error().text);
    // The process is worn out, not this connection alone: others that it accepts would only be turned away.
    if (++delivered == max_use) daemon.retire();
    session.running.spawn([this, &connection, id = frame->id, job = std::move(*request)]() mutable {
      proto::DeliverReply reply = work(std::move(job));
      check_tables();
      (void)connection.send(reply, Deadline::after(timeout), id);
    });
  }
}

}  // namespace

void mark_corrupt(const Job& job) {
  constexpr mode_t kCorruptMode = 0400;
  log::warning("corrupted queue file: {}/{}", job.request.queue_name, job.request.queue_id);
  if (auto marked = job.file->set_mode(kCorruptMode); !marked) {
    log::warning("{}: {}", job.request.queue_id, marked.error().text);
  }
}

void serve_deliveries(service::Daemon& daemon, std::string_view name, Deliver deliver,
                      const table::Catalog* tables) {
  const config::Config& config = daemon.config();
  auto credits = static_cast<uint32_t>(daemon.max_clients());
  // Lives as long as the process.
  auto* agent = new Agent{.daemon = daemon,
                          .deliver = std::move(deliver),
                          .store = queue::Store(queue::system_files(), clients::queue_layout(config)),
                          .timeout = config.get(params::ipc_timeout),
                          .max_use = static_cast<size_t>(config.get(params::max_use)) * credits,
                          // One that could not be opened to begin with is no news.
                          .tables = tables != nullptr && tables->stale_table().empty() ? tables : nullptr,
                          .sessions = {}};
  daemon.on_retire([agent] {
    for (Session* session : agent->sessions)
      session->connection.stream().events().wake_reader();
  });
  daemon.serve([agent, credits, own_name = std::string(name)](service::Client client) {
    Session session(std::move(client.stream), own_name, credits);
    agent->sessions.insert(&session);
    agent->serve(session);
    agent->sessions.erase(&session);
    session.running.wait(Deadline::never());
  });
}

}  // namespace postrider::delivery

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
  size_t delivered = 0;
  std::set<Session*> sessions;

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
      (void)connection.send(reply, Deadline::after(timeout), id);
    });
  }
}

}  // namespace

void serve_deliveries(service::Daemon& daemon, std::string_view name, Deliver deliver) {
  const config::Config& config = daemon.config();
  auto credits = static_cast<uint32_t>(daemon.max_clients());
  // Lives as long as the process.
  auto* agent = new Agent{.daemon = daemon,
                          .deliver = std::move(deliver),
                          .store = queue::Store(queue::system_files(), clients::queue_layout(config)),
                          .timeout = config.get(params::ipc_timeout),
                          .max_use = static_cast<size_t>(config.get(params::max_use)) * credits,
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

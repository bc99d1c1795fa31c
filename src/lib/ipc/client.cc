#include "ipc/client.h"

#include <fmt/format.h>

#include "io/loop.h"
#include "sys/socket.h"

namespace postrider::ipc {

Result<std::unique_ptr<Connection>> connect(const Endpoint& endpoint, Deadline deadline) {
  sys::Address address = TRY(sys::Address::from_path(endpoint.path));
  auto stream = io::connect(address, std::nullopt, deadline);
  if (!stream) {
    Error error = std::move(stream).error();
    error.text = fmt::format("connect to {}: {}", endpoint.path, error.text);
    return std::unexpected(std::move(error));
  }
  return std::make_unique<Connection>(std::move(*stream), endpoint.asker);
}

/// Lives as long as the client or its reader fiber, whichever is longer.
struct Client::Shared : std::enable_shared_from_this<Client::Shared> {
  struct Pending {
    bool done = false;
    Result<Raw> outcome = fail(ErrorKind::closed, "");
    io::Condition answered;
  };

  Endpoint endpoint;
  std::shared_ptr<Connection> connection;  // Shared with the fibers that use it across a wait.
  std::unordered_map<uint32_t, Pending*> pending;
  std::function<void()> disconnected;
  uint32_t next_id = 1;
  bool closing = false;  // The client is gone.
  io::Mutex connecting;

  Result<void> ensure_connected(Deadline deadline);
  void read_replies(std::shared_ptr<Connection> kept);
  void fail_all(const Error& error);
};

Result<void> Client::Shared::ensure_connected(Deadline deadline) {
  if (connection) return {};
  if (!connecting.lock(deadline)) return fail(ErrorKind::timeout, "timed out");
  Result<void> result;
  if (!connection) {
    auto made = ipc::connect(endpoint, deadline);
    if (made) {
      connection = std::move(*made);
      io::spawn([self = shared_from_this(), kept = connection] { self->read_replies(kept); });
    } else {
      result = std::unexpected(std::move(made).error());
    }
  }
  connecting.unlock();
  return result;
}

void Client::Shared::read_replies(std::shared_ptr<Connection> kept) {
  Error error(ErrorKind::closed, "");
  for (;;) {
    // Idle means: nothing asked and nothing owed.
    if (!kept->wait_frame(pending.empty() ? Deadline::after(endpoint.idle) : Deadline::never())) {
      if (pending.empty()) break;
      continue;
    }
    auto frame = kept->receive(Deadline::after(endpoint.timeout));
    if (!frame) {
      error.text = frame.error().text;
      break;
    }
    auto it = pending.find(frame->id);
    if (it == pending.end()) continue;  // Its asker has given up.
    Pending& p = *it->second;
    pending.erase(it);
    p.outcome = Raw{frame->type, std::string(frame->payload)};
    p.done = true;
    p.answered.notify_all();
  }
  connection.reset();
  fail_all(error);
  if (disconnected && !closing) disconnected();
}

void Client::Shared::fail_all(const Error& error) {
  auto all = std::exchange(pending, {});
  for (auto& [id, p] : all) {
    p->outcome = std::unexpected(error);
    p->done = true;
    p->answered.notify_all();
  }
}

Client::Client(Endpoint endpoint) : shared_(std::make_shared<Shared>()) {
  shared_->endpoint = std::move(endpoint);
}

Client::~Client() {
  shared_->closing = true;
  if (shared_->connection) shared_->connection->stream().shutdown_write();
}

void Client::on_disconnect(std::function<void()> call) {
  shared_->disconnected = std::move(call);
}

Result<Client::Raw> Client::exchange(uint16_t type, std::string_view payload, Deadline deadline) {
  std::shared_ptr<Shared> s = shared_;
  deadline = deadline.or_sooner(Deadline::after(s->endpoint.timeout));
  for (int attempt = 0;; ++attempt) {
    TRY(s->ensure_connected(deadline));
    uint32_t id = s->next_id++;
    Shared::Pending pending;
    s->pending.emplace(id, &pending);
    struct Forget {
      Shared* shared;
      uint32_t id;
      ~Forget() { shared->pending.erase(id); }
    } forget{s.get(), id};
    std::shared_ptr<Connection> connection = s->connection;
    TRY(connection->put_encoded(type, payload, id));
    (void)connection->flush(deadline);  // A failure ends the reader, which tells everybody who waits.
    while (!pending.done) {
      if (!pending.answered.wait(deadline)) break;
    }
    if (!pending.done)
      return fail(ErrorKind::timeout, fmt::format("no answer from {} in time", s->endpoint.path));
    if (pending.outcome || pending.outcome.error().kind != ErrorKind::closed || attempt > 0) {
      if (!pending.outcome) {
        return fail(ErrorKind::temporary,
                    fmt::format("{}: {}", s->endpoint.path,
                                pending.outcome.error().text.empty() ? "the service closed the connection"
                                                                     : pending.outcome.error().text));
      }
      return std::move(pending.outcome);
    }
  }
}

Pool::Pool(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
Pool::~Pool() = default;

Result<Pool::Taken> Pool::take(Deadline deadline) {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back().connection);
    idle_.pop_back();
    if (!connection->is_stale()) return Taken{std::move(connection), true};
  }
  return Taken{TRY(connect(endpoint_, deadline)), false};
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  idle_.push_back({std::move(connection), Clock::now()});
  if (!timer_) timer_ = std::make_unique<io::Timer>([this] { drop_idle(); });
  if (!timer_->pending()) timer_->start(endpoint_.idle);
}

void Pool::drop_idle() {
  Clock::time_point limit = Clock::now() - endpoint_.idle;
  std::erase_if(idle_, [&](const Idle& idle) { return idle.since <= limit; });
  if (!idle_.empty()) timer_->start(seconds(1));
}

}  // namespace postrider::ipc

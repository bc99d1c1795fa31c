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

/// Lives as long as the client or its reader fibers, whichever is longer.
struct Client::Shared : std::enable_shared_from_this<Client::Shared> {
  struct Pending {
    bool done = false;
    Result<Raw> outcome = fail(ErrorKind::closed, "");
    io::Condition answered;
  };
  /// A connection and what was asked over it; shared with the fibers that use it across a wait.
  struct Link {
    std::unique_ptr<Connection> connection;
    std::unordered_map<uint32_t, Pending*> pending;
    bool replaced = false;  // Nothing is asked over it any more.
  };

  Endpoint endpoint;
  std::shared_ptr<Link> link;
  std::function<void()> disconnected;
  uint32_t next_id = 1;
  bool closing = false;  // The client is gone.
  io::Mutex connecting;

  void replace_old_link();
  Result<void> ensure_connected(Deadline deadline);
  void read_replies(const std::shared_ptr<Link>& kept);
  static void fail_all(Link& link, const Error& error);
};

/// What is owed over the old connection still arrives there.
void Client::Shared::replace_old_link() {
  if (!link || Clock::now() - link->connection->opened() < endpoint.ttl) return;
  link->replaced = true;
  if (link->pending.empty()) link->connection->stream().events().wake_reader();
  link.reset();
}

Result<void> Client::Shared::ensure_connected(Deadline deadline) {
  replace_old_link();
  if (link) return {};
  if (!connecting.lock(deadline)) return fail(ErrorKind::timeout, "timed out");
  Result<void> result;
  if (!link) {
    auto made = ipc::connect(endpoint, deadline);
    if (made) {
      link = std::make_shared<Link>();
      link->connection = std::move(*made);
      io::spawn([self = shared_from_this(), kept = link] { self->read_replies(kept); });
    } else {
      result = std::unexpected(std::move(made).error());
    }
  }
  connecting.unlock();
  return result;
}

void Client::Shared::read_replies(const std::shared_ptr<Link>& kept) {
  Error error(ErrorKind::closed, "");
  Connection& connection = *kept->connection;
  while (!kept->replaced || !kept->pending.empty()) {
    // Idle means: nothing asked and nothing owed.
    bool idle = kept->pending.empty();
    if (!connection.wait_frame(idle ? Deadline::after(endpoint.idle) : Deadline::never())) {
      if (kept->pending.empty()) break;
      continue;
    }
    if (kept->replaced && kept->pending.empty()) break;
    auto frame = connection.receive(Deadline::after(endpoint.timeout));
    if (!frame) {
      error.text = frame.error().text;
      break;
    }
    auto it = kept->pending.find(frame->id);
    if (it == kept->pending.end()) continue;  // Its asker has given up.
    Pending& p = *it->second;
    kept->pending.erase(it);
    p.outcome = Raw{frame->type, std::string(frame->payload)};
    p.done = true;
    p.answered.notify_all();
  }
  if (link == kept) link.reset();
  fail_all(*kept, error);
  if (disconnected && !closing) disconnected();
}

void Client::Shared::fail_all(Link& link, const Error& error) {
  auto all = std::exchange(link.pending, {});
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
  if (shared_->link) shared_->link->connection->stream().shutdown_write();
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
    std::shared_ptr<Shared::Link> link = s->link;
    link->pending.emplace(id, &pending);
    struct Forget {
      Shared::Link& link;
      uint32_t id;
      ~Forget() { link.pending.erase(id); }
    } forget{*link, id};
    TRY(link->connection->put_encoded(type, payload, id));
    (void)link->connection->flush(deadline);  // A failure ends the reader, which tells everybody who waits.
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
  if (Clock::now() - connection->opened() >= endpoint_.ttl) return;
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

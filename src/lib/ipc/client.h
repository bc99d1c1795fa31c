// Asking other services.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "io/sync.h"
#include "ipc/connection.h"

namespace postrider::ipc {

/// How to reach a service.
struct Endpoint {
  std::string path;   ///< "private/rewrite", relative to the queue directory that is the working directory.
  std::string asker;  ///< The own service, for the other side's log.
  seconds idle{5};    ///< ipc_idle: an unused connection is closed after this.
  seconds timeout{3600};  ///< ipc_timeout: for a request without a tighter deadline.
  seconds ttl{1000};      ///< ipc_ttl: a connection is used for so long, and then replaced.
};

/// Connects, with Hello sent and the other side's read.
Result<std::unique_ptr<Connection>> connect(const Endpoint& endpoint, Deadline deadline);

/// Requests and replies, many at a time over one connection, which is opened when needed, closed when idle,
/// and replaced when it has been used long enough, so that services can end their processes. For requests
/// that are safe to repeat: one that the service never answered because it went away is sent again once.
class Client {
 public:
  explicit Client(Endpoint endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  template <Message Reply, typename Request>
    requires Message<std::remove_cvref_t<Request>>
  Result<Reply> call(Request&& request, Deadline deadline) {
    std::string payload;
    Encoder encoder(payload);
    request.fields(encoder);
    if (encoder.too_long())
      return fail(ErrorKind::limit, "a field is longer than the internal protocol allows");
    Raw raw = TRY(exchange(std::remove_cvref_t<Request>::kType, payload, deadline));
    Frame frame{raw.type, 0, 0, raw.payload};
    return Connection::open_frame<Reply>(frame);
  }
  /// Called when a connection that had worked has ended: what was cached from this service may be out of
  /// date.
  void on_disconnect(std::function<void()> call);

 private:
  struct Raw {
    uint16_t type = 0;
    std::string payload;
  };
  struct Shared;
  Result<Raw> exchange(uint16_t type, std::string_view payload, Deadline deadline);
  std::shared_ptr<Shared> shared_;
};

/// Connections that one job at a time uses; returned ones are kept until they are idle or have been used long
/// enough.
class Pool {
 public:
  explicit Pool(Endpoint endpoint);
  ~Pool();

  struct Taken {
    std::unique_ptr<Connection> connection;
    bool reused =
        false;  ///< It was idle: a failure of the first exchange may only mean that it had just ended.
  };
  /// A connection for one job; connects when none is idle. After an error it must be dropped, not returned.
  Result<Taken> take(Deadline deadline);
  void give_back(std::unique_ptr<Connection> connection);
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  void drop_idle();
  struct Idle {
    std::unique_ptr<Connection> connection;
    Clock::time_point since;
  };
  Endpoint endpoint_;
  std::vector<Idle> idle_;
  std::unique_ptr<io::Timer> timer_;
};

}  // namespace postrider::ipc

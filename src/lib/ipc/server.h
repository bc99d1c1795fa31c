// Answering requests of other services.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "base/deadline.h"
#include "ipc/connection.h"

namespace postrider::ipc {

/// The requests a service answers, by type. Each request runs in a fiber of its own, several at a time per
/// connection.
class Dispatcher {
 public:
  /// `handler(Request, Deadline) -> Result<Reply>`; an error is sent as a Failure.
  template <Message Request, typename Handler>
  void on(Handler handler) {
    handlers_[Request::kType] = [handler = std::move(handler)](Connection& connection, const Frame& frame,
                                                               Deadline deadline) -> Result<void> {
      Request request = TRY(decode<Request>(frame.payload));
      uint32_t id = frame.id;
      auto reply = handler(std::move(request), deadline);
      if (!reply) {
        Failure failure;
        failure.kind = static_cast<uint8_t>(reply.error().kind);
        failure.reason = std::string_view(reply.error().text).substr(0, kMaxReason);
        return connection.send(failure, deadline, id);
      }
      return connection.send(*reply, deadline, id);
    };
  }

  /// Serves one connection until the peer closes it, `idle` passes without a request, or it breaks the
  /// protocol. The error of the last case is for the log; other connections are not disturbed.
  Result<void> serve(Connection& connection, seconds idle, seconds request_limit) const;

  /// Requests of one connection that run at the same time; more wait in the socket.
  void set_concurrency(size_t limit) { concurrency_ = limit; }

 private:
  using Handler = std::function<Result<void>(Connection&, const Frame&, Deadline)>;
  std::unordered_map<uint16_t, Handler> handlers_;
  size_t concurrency_ = 64;
};

}  // namespace postrider::ipc

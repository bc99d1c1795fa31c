// Asking a service where there are no fibers: while a daemon starts, or on a thread for blocking calls.
#pragma once

#include "ipc/client.h"

namespace postrider::ipc {

struct RawReply {
  uint16_t type = 0;
  std::string payload;
};
/// As ask_blocking(), for an encoded request.
Result<RawReply> exchange_blocking(const Endpoint& endpoint, uint16_t type, std::string_view payload,
                                   seconds limit);

/// One request over a connection of its own; blocks for `limit` at most.
template <Message Reply, Message Request>
Result<Reply> ask_blocking(const Endpoint& endpoint, Request& request, seconds limit) {
  std::string payload;
  Encoder encoder(payload);
  request.fields(encoder);
  if (encoder.too_long())
    return fail(ErrorKind::limit, "a field is longer than the internal protocol allows");
  RawReply reply = TRY(exchange_blocking(endpoint, Request::kType, payload, limit));
  return Connection::open_frame<Reply>(Frame{reply.type, 0, 0, reply.payload});
}

}  // namespace postrider::ipc

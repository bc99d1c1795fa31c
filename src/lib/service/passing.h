// Passing a client's connection on to another service (type "pass"): the descriptor travels with one message,
// a null byte or, where others than the kernel know who the client is, the line of the PROXY protocol.
#pragma once

#include <optional>

#include "base/deadline.h"
#include "base/result.h"
#include "io/stream.h"
#include "sys/socket.h"

namespace postrider::service {

/// A client as it has arrived.
struct Arrival {
  sys::Fd fd;
  sys::Address peer;
  /// What the client has connected to; nothing: the descriptor tells.
  std::optional<sys::Address> local;
  bool passed = false;  ///< Another service has looked at it before.
};

/// The two ends of a connection to a load balancer's client.
struct Ends {
  sys::Address client, server;
};

/// Passes `fd` to the service at `carrier` and waits until it has it: then it closes the carrier. The
/// descriptor stays the caller's, too.
Result<void> pass_client(io::Stream& carrier, int fd, const std::optional<Ends>& ends, Deadline deadline);

/// What a carrier brings. Nothing: it brings nobody, or takes too long.
std::optional<Arrival> receive_client(sys::Fd carrier, Deadline deadline);

}  // namespace postrider::service

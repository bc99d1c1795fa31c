// A session with a server, and what is known about it beside the protocol.
#pragma once

#include <memory>
#include <string>

#include "base/deadline.h"
#include "smtp/client.h"

namespace postrider::smtp_client {

struct ServerSession {
  ServerSession(io::Stream stream, smtp::Peer peer, smtp::ClientSettings settings)
      : client(std::move(stream), std::move(peer), std::move(settings)) {}

  smtp::ClientSession client;
  bool best_mx = false;     ///< None is preferred over this server: if it is us, there is a loop.
  bool loop_check = false;  ///< The destination is one that this system may be itself.
  int uses = 0;             ///< Messages, this one included.
  /// Of no use for another message: the server refused to serve, or the protocol is out of step.
  bool spent = false;
  /// A farewell is due: the session failed in an orderly way.
  bool say_goodbye = false;

  const std::string& host() const { return client.peer().host; }
  std::string relay() const { return client.peer().name_with_port(); }
};

}  // namespace postrider::smtp_client

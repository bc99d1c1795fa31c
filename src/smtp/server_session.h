// A session with a server, and what is known about it beside the protocol.
#pragma once

#include <string>

#include "base/deadline.h"
#include "smtp/client.h"

namespace postrider::smtp_client {

/// Trouble that the postmaster may want to hear of (notify_classes).
struct TroubleSeen {
  bool protocol = false;  ///< A reply that says that one of the two does not know the protocol.
  bool data = false;      ///< A problem with data of this system.
};

struct ServerSession {
  ServerSession(io::Stream stream, smtp::Peer peer, smtp::ClientSettings settings)
      : client(std::move(stream), std::move(peer), std::move(settings)) {}

  smtp::ClientSession client;
  Clock::time_point started = Clock::now();
  bool best_mx = false;  ///< None is preferred over this server: if it is us, there is a loop.
  int uses = 0;          ///< Messages, this one included.
  bool logged_in = false;
  bool delay_dot = false;  ///< For a firewall: the last line of a message goes alone and late.
  TroubleSeen trouble;
  /// It was kept for another message, but was of no use: the message has to go another way.
  bool stale = false;
  /// Of no use for another message: the server refused to serve, or the protocol is out of step.
  bool spent = false;
  /// A farewell is due: the session ends in an orderly way.
  bool say_goodbye = false;

  const std::string& host() const { return client.peer().host; }
  std::string relay() const { return client.peer().name_with_port(); }

  /// Notes replies that should not be heard: syntax errors, and such as make no sense.
  void judge(const smtp::Reply& reply) {
    bool refusal = reply.code >= 400 && reply.code <= 599;
    bool syntax = reply.code == 555 || (reply.code >= 500 && reply.code < 510);
    if (!refusal || syntax) trouble.protocol = true;
  }
};

}  // namespace postrider::smtp_client

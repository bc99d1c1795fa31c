// A session with a server, and what is known about it beside the protocol.
#pragma once

#include <optional>
#include <string>

#include "base/deadline.h"
#include "smtp/client.h"
#include "smtp/tls_policy.h"
#include "smtp/tlsrpt.h"
#include "tls/session.h"

namespace postrider::smtp_client {

/// Trouble that the postmaster may want to hear of (notify_classes).
struct TroubleSeen {
  bool protocol = false;  ///< A reply that says that one of the two does not know the protocol.
  bool data = false;      ///< A problem with data of this system.
};

class Ledger;

struct ServerSession {
  ServerSession(io::Stream stream, smtp::Peer peer, smtp::ClientSettings settings)
      : client(std::move(stream), std::move(peer), std::move(settings)) {}

  smtp::ClientSession client;
  Clock::time_point started = Clock::now();
  bool best_mx = false;  ///< None is preferred over this server: if it is us, there is a loop.
  int uses = 0;          ///< Messages, this one included.
  bool logged_in = false;
  /// The TLS session on the connection, which the connection owns; null: none.
  tls::Session* tls = nullptr;
  TlsPolicy policy;
  smtp::PeerNames tls_names;
  /// Who wants to hear of what becomes of TLS in this session; nothing once it has been told.
  std::optional<TlsReportOrder> report_order;
  /// TLS is optional, and the message has waited long enough to go without where TLS does not work.
  bool plain_will_do = false;
  /// TLS did not work: the same host is to be tried without.
  bool again_without_tls = false;
  /// The server said something after EHLO that it was not asked for (smtp_tls_block_early_mail_reply).
  bool said_too_much = false;
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

/// The connection is gone. The same host gets another chance without TLS where it may be TLS that does not
/// work.
void lose(ServerSession& session, Ledger& ledger, const smtp::SessionFailure& failure);

}  // namespace postrider::smtp_client

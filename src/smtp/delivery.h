// One delivery request: from the next hop to the last report.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "delivery/agent.h"
#include "dns/mail_routing.h"
#include "smtp/agent.h"
#include "smtp/destination.h"
#include "smtp/ledger.h"
#include "smtp/server_session.h"

namespace postrider::smtp_client {

/// Tries the servers of the next hop one after the other, then those of the fallback relays, until every
/// recipient is taken, refused, or out of servers.
class Delivery {
 public:
  Delivery(Agent& agent, delivery::Job& job);
  proto::DeliverReply run();

 private:
  void try_destinations();
  void try_destination(const Destination& destination);
  void try_path(const Destination& destination);
  void try_hosts(const Destination& destination, const dns::Route& route);
  dns::Route look_up(const Destination& destination, bool loop_check);
  std::unique_ptr<ServerSession> connect(const sys::Address& address, smtp::Peer peer);
  bool introduce(ServerSession& session);
  void refuse_to_talk(ServerSession& session, const smtp::Reply& reply);
  void finish(std::unique_ptr<ServerSession> session);
  void excuse_configuration();
  void fail_rest();

  Agent& agent_;
  const Settings& settings_;
  delivery::Job& job_;
  Ledger ledger_;
  bool last_destination_ = false;
  bool at_fallback_ = false;
};

}  // namespace postrider::smtp_client

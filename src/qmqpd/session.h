// One client, from connection to disconnection: it may send one message.
#pragma once

#include <string>
#include <string_view>

#include "clients/cleanup.h"
#include "clients/remote_client.h"
#include "io/stream.h"
#include "qmqpd/message.h"
#include "qmqpd/packet.h"
#include "qmqpd/settings.h"
#include "table/match_list.h"

namespace postrider::qmqpd {

/// What all sessions of a process share.
struct Server {
  const Settings& settings;
  const table::MatchList& authorized;   ///< qmqpd_authorized_clients
  const table::MatchList& debug_peers;  ///< Clients whose dialogue is logged.
  clients::CleanupClient& cleanup;
};

class Session {
 public:
  Session(const Server& server, io::Stream stream, clients::RemoteClient client);
  void run();

 private:
  bool may_send();
  void receive();
  bool read_packet(Message& message);
  void take(PacketReader::Event event, Message& message);
  void fail(std::string_view problem, std::string_view queue_id, bool answer);
  void reply(char letter, std::string_view text);
  void log_line(char direction, std::string_view text) const;

  const Server& server_;
  io::Stream stream_;
  clients::RemoteClient client_;
  PacketReader reader_;
  bool logged_ = false;
};

}  // namespace postrider::qmqpd

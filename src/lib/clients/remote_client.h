// Who is at the other end of a connection from the network.
#pragma once

#include <string>

#include "dns/host.h"
#include "sys/socket.h"

namespace postrider::clients {

/// What is known about a client, as log lines, headers and queue files have it.
struct RemoteClient {
  dns::ClientName names;
  std::string address = "unknown";  ///< Without a prefix for IPv6.
  std::string port = "unknown";
  int family = 0;                                                   ///< AF_INET, AF_INET6; 0: not known.
  std::string server_address = "unknown", server_port = "unknown";  ///< What it has connected to.
  std::string label;  ///< "name[address]", as log lines have it.

  bool is_ipv6() const;
  /// The address as RFC 5321 has it between brackets: "IPv6:2001:db8::1".
  std::string rfc_address() const;
  /// Sets `label`. With `with_port` (smtpd_client_port_logging and its kin) the port follows.
  void make_label(bool with_port);
};

/// Addresses of both ends; the name is left "unknown".
RemoteClient describe_peer(const sys::Address& peer, const sys::Address& server);

}  // namespace postrider::clients

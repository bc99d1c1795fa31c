// Who is at the other end of a session.
#pragma once

#include <string>

#include "base/deadline.h"
#include "dns/host.h"
#include "sys/socket.h"

namespace postrider::smtpd {

/// What is known about the client. XCLIENT can replace it.
struct Client {
  dns::ClientName names;
  std::string address = "unknown";  ///< Without a prefix for IPv6.
  std::string
      socket_address;  ///< The address that the connection is from, whatever XCLIENT says; empty: none.
  std::string port = "unknown";
  std::string login;         ///< Who has logged in; empty: nobody.
  std::string login_method;  ///< How: "PLAIN", or "XCLIENT", which says so.
  int family = 0;            ///< AF_INET, AF_INET6; 0: not known.
  std::string server_address = "unknown", server_port = "unknown";  ///< What it has connected to.
  bool unidentified = false;  ///< The load balancer in front has not told who it is.
  std::string label;          ///< "name[address]", as log lines have it.

  bool is_ipv6() const;
  /// The address as RFC 5321 has it between brackets: "IPv6:2001:db8::1".
  std::string rfc_address() const;
  /// Sets `label`. With `with_port` (smtpd_client_port_logging) the port follows.
  void make_label(bool with_port);
};

/// Addresses of both ends; the name is left "unknown".
Client describe_peer(const sys::Address& peer, const sys::Address& server);
/// The user who runs "sendmail -bs".
Client local_user();

}  // namespace postrider::smtpd

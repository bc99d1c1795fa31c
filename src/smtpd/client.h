// Who is at the other end of a session.
#pragma once

#include <string>

#include "clients/remote_client.h"

namespace postrider::smtpd {

/// What is known about the client. XCLIENT can replace it.
struct Client : clients::RemoteClient {
  std::string
      socket_address;        ///< The address that the connection is from, whatever XCLIENT says; empty: none.
  std::string login;         ///< Who has logged in; empty: nobody.
  std::string login_method;  ///< How: "PLAIN", or "XCLIENT", which says so.
  bool passed = false;       ///< By postscreen: what it has said before the greeting has been judged there.
  bool unidentified = false;  ///< The load balancer in front has not told who it is.
};

/// Addresses of both ends; the name is left "unknown".
Client describe_peer(const sys::Address& peer, const sys::Address& server);
/// The user who runs "sendmail -bs".
Client local_user();

}  // namespace postrider::smtpd

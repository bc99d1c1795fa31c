#include "smtpd/client.h"

namespace postrider::smtpd {

Client describe_peer(const sys::Address& peer, const sys::Address& server) {
  Client out;
  static_cast<clients::RemoteClient&>(out) = clients::describe_peer(peer, server);
  if (out.family != 0) out.socket_address = out.address;
  return out;
}

Client local_user() {
  Client out;
  out.names.name = out.names.reverse_name = "localhost";
  out.names.name_status = out.names.reverse_status = dns::NameCheck::ok;
  out.address = "127.0.0.1";
  out.family = AF_INET;
  out.make_label(false);
  return out;
}

}  // namespace postrider::smtpd

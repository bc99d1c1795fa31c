#include "smtpd/client.h"

#include <fmt/format.h>

namespace postrider::smtpd {

bool Client::is_ipv6() const {
  return family == AF_INET6;
}

std::string Client::rfc_address() const {
  return (is_ipv6() ? "IPv6:" : "") + address;
}

void Client::make_label(bool with_port) {
  label = fmt::format("{}[{}]", names.name, address);
  if (with_port) label += ":" + port;
}

Client describe_peer(const sys::Address& peer_address, const sys::Address& server_address) {
  Client out;
  sys::Address peer = peer_address.unmapped(), server = server_address.unmapped();
  if (peer.is_ip()) {
    out.address = out.socket_address = peer.ip();
    out.port = fmt::format("{}", peer.port());
    out.family = peer.family();
  }
  if (server.is_ip()) {
    out.server_address = server.ip();
    out.server_port = fmt::format("{}", server.port());
  }
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

#include "clients/remote_client.h"

#include <fmt/format.h>

namespace postrider::clients {

bool RemoteClient::is_ipv6() const {
  return family == AF_INET6;
}

std::string RemoteClient::rfc_address() const {
  return (is_ipv6() ? "IPv6:" : "") + address;
}

void RemoteClient::make_label(bool with_port) {
  label = fmt::format("{}[{}]", names.name, address);
  if (with_port) label += ":" + port;
}

RemoteClient describe_peer(const sys::Address& peer_address, const sys::Address& server_address) {
  RemoteClient out;
  sys::Address peer = peer_address.unmapped(), server = server_address.unmapped();
  if (peer.is_ip()) {
    out.address = peer.ip();
    out.port = fmt::format("{}", peer.port());
    out.family = peer.family();
  }
  if (server.is_ip()) {
    out.server_address = server.ip();
    out.server_port = fmt::format("{}", server.port());
  }
  return out;
}

}  // namespace postrider::clients

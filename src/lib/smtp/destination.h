// Destinations as the queue manager and the configuration name them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/tcp_ports.h"

namespace postrider::smtp {

/// One place to deliver to. smtp(8) describes the syntax.
struct Destination {
  enum class Kind : unsigned char {
    domain,  ///< Mail exchangers of a domain.
    host,    ///< "[host]": the addresses of a host, or an address.
    path,    ///< "unix:path"
  };
  Kind kind = Kind::domain;
  std::string text;        ///< As it was given; for LMTP without "inet:".
  std::string name;        ///< Domain, host, address or path.
  bool bracketed = false;  ///< "[host]"
  std::string service;     ///< The port as it was given, or the default one.
  uint16_t port = 0;       ///< In host order.
};

/// Next hops are lists: each is tried after the one before has failed.
std::vector<std::string_view> split_destinations(std::string_view list);

/// A destination of SMTP.
Result<Destination> parse_smtp_destination(std::string_view text, std::string_view default_port,
                                           const config::TcpPorts& ports);
/// A destination of LMTP: hosts only, never mail exchangers.
Result<Destination> parse_lmtp_destination(std::string_view text, std::string_view default_port,
                                           const config::TcpPorts& ports);

}  // namespace postrider::smtp

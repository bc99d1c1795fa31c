// What the configuration says to the client.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "config/tcp_ports.h"
#include "dns/mail_routing.h"
#include "smtp/client.h"
#include "sys/socket.h"

namespace postrider::smtp_client {

enum class Protocol : unsigned char { smtp, lmtp };

/// Up to which command an address is probed (smtp_address_verify_target).
enum class ProbeTarget : unsigned char { rcpt, data };

/// Read once at the start of the process. Most parameters exist twice, as smtp_NAME and as lmtp_NAME.
struct Settings {
  Settings(const config::Config& config, Protocol protocol);

  Protocol protocol;
  std::string myhostname;
  std::string default_port;  ///< For destinations without one.
  std::string relayhost;
  std::vector<std::string> fallback_relays;
  config::TcpPorts ports;

  smtp::ClientSettings session;
  dns::RoutingSettings routing;
  bool look_up_mx = true;

  size_t mx_session_limit = 0;  ///< 0: none; so is the next.
  size_t mx_address_limit = 0;
  Clock::duration connect_timeout{};  ///< Zero: as long as the system takes.

  ProbeTarget probe_target = ProbeTarget::rcpt;
  bool soft_bounce = false;
  bool skip_quit_response = true;
  bool quote_addresses = true;      ///< smtp_quote_rfc821_envelope
  bool cname_is_host_name = false;  ///< smtp_cname_overrides_servername

  bool lmtp() const { return protocol == Protocol::lmtp; }
  /// "smtp_NAME" or "lmtp_NAME".
  std::string parameter(std::string_view name) const;
  /// Connecting may take this long at most.
  Deadline connect_deadline() const;
};

}  // namespace postrider::smtp_client

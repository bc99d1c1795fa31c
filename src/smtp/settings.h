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
#include "mail/mime.h"
#include "sasl/client.h"
#include "smtp/client.h"
#include "smtp/tls_settings.h"
#include "sys/socket.h"

namespace postrider::smtp_client {

enum class Protocol : unsigned char { smtp, lmtp };

/// Up to which command an address is probed (smtp_address_verify_target).
enum class ProbeTarget : unsigned char { rcpt, data };

/// The address that connections come from (smtp_bind_address).
struct SourceAddress {
  std::optional<sys::Address> address;
  bool required = false;  ///< Rather defer than connect from another one.
};

/// What is done to each message, by the "flags=" attribute in master.cf.
struct ServiceFlags {
  bool delivered_to = false;  ///< D
  bool original_to = false;   ///< O
  bool return_path = false;   ///< R
  bool final = false;         ///< X
  bool adds_headers() const { return delivered_to || original_to || return_path; }
};

/// How long sessions are kept for further mail.
struct CacheRules {
  bool on_demand = true;
  Clock::duration idle{};
  Clock::duration reuse_time{};
  int reuse_count = 0;  ///< Messages after the first; 0: any number.
};

struct PixRules {
  std::string workarounds;
  Clock::duration threshold{};  ///< The delay is for messages that have waited as long.
  Clock::duration delay{};
};

/// Read once at the start of the process. Most parameters exist twice, as smtp_NAME and as lmtp_NAME.
struct Settings {
  Settings(const config::Config& config, Protocol protocol, const std::vector<std::string>& attributes);

  Protocol protocol;
  ServiceFlags flags;
  std::string service_name;
  std::string myhostname;
  std::string default_port;  ///< For destinations without one.
  std::string relayhost;
  std::vector<std::string> fallback_relays;
  std::string best_mx_transport;
  std::vector<std::string> srv_services;  ///< use_srv_lookup
  config::TcpPorts ports;

  smtp::ClientSettings session;
  smtp::KeywordSet discarded_keywords;
  dns::RoutingSettings routing;
  bool look_up_mx = true;
  std::string dnssec_probe;

  size_t mx_session_limit = 0;  ///< 0: none; so is the next.
  size_t mx_address_limit = 0;
  Clock::duration connect_timeout{};  ///< Zero: as long as the system takes.
  SourceAddress source4, source6;
  CacheRules cache;
  PixRules pix;

  /// Logging in (smtp_sasl_*).
  struct Sasl {
    bool enabled = false;
    bool by_sender = false;   ///< Senders have passwords of their own.
    bool soft_bounce = true;  ///< A login that is refused defers mail.
    bool dummy_auth = false;  ///< MAIL has AUTH=<> then.
    char delimiter = ':';     ///< Between user and password.
    sasl::SecurityOptions options, tls_options, tls_verified_options;  ///< By how safe the session is.
    sasl::ClientSettings plug_in;
    std::string cache_name;  ///< The table of logins that were refused; empty: none.
    seconds cache_time{0};   ///< How long an entry counts.
  } sasl;

  TlsSettings tls;
  ProbeTarget probe_target = ProbeTarget::rcpt;
  bool soft_bounce = false;
  bool skip_quit_response = true;
  bool quote_addresses = true;      ///< smtp_quote_rfc821_envelope
  bool cname_is_host_name = false;  ///< smtp_cname_overrides_servername
  bool send_xforward = false;
  bool convert_to_7bit = true;  ///< Not disable_mime_output_conversion.
  mail::MimeOptions mime;       ///< The limits of the parser.

  bool lmtp() const { return protocol == Protocol::lmtp; }
  /// "smtp_NAME" or "lmtp_NAME".
  std::string parameter(std::string_view name) const;
  /// Connecting may take this long at most.
  Deadline connect_deadline() const;
};

}  // namespace postrider::smtp_client

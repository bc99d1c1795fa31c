// Where to connect to, and what TLS has to be like there.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/tcp_ports.h"
#include "dns/host.h"
#include "dns/mail_routing.h"
#include "smtp/client.h"
#include "smtp/destination.h"
#include "sys/socket.h"
#include "tls/client.h"
#include "tools/posttls-finger/options.h"

namespace postrider::posttls_finger {

/// A server.
struct Target {
  smtp::Peer peer;
  sys::Address address;
  dns::MailHost host;  ///< None of a UNIX-domain socket.
};

/// A destination's servers.
struct Targets {
  smtp::Destination destination;
  std::vector<Target> targets;  ///< In the order in which to try them.
  std::optional<dns::Record> best_mx;
};

/// Reads the destination; a mistake ends the process.
smtp::Destination parse_destination(const Options& options, const config::TcpPorts& ports);

/// One on the loop of the process.
class Finder {
 public:
  Finder(const config::Config& config, const Options& options);
  /// The error is why there are none.
  Result<Targets> find(const smtp::Destination& destination);
  /// What a session with the server has to be like. The error: it is not to be connected to.
  Result<tls::Demands> demands(const Targets& targets, const Target& target, const tls::DaneDigests& digests);

 private:
  dns::Route look_up(const smtp::Destination& destination);
  Result<void> apply_dane(tls::Demands& demands, const Targets& targets, const Target& target,
                          const tls::DaneDigests& digests);
  void apply_match(tls::Demands& demands, const Targets& targets, const Target& target) const;
  bool uses_dnssec() const { return lookup_.dns; }

  const Options& options_;
  HostLookup lookup_;
  std::string own_name_;
  std::vector<tls::Tlsa> anchors_;
  dns::Resolver resolver_;
  dns::HostLookup hosts_;
  dns::MailRouter router_;
};

}  // namespace postrider::posttls_finger

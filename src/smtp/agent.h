// What the deliveries of a process share.
#pragma once

#include "config/config.h"
#include "delivery/agent.h"
#include "delivery/report.h"
#include "dns/host.h"
#include "dns/mail_routing.h"
#include "dns/resolver.h"
#include "smtp/settings.h"

namespace postrider::smtp_client {

class Agent {
 public:
  Agent(const config::Config& config, Protocol protocol, std::string_view service);

  /// Before the process loses sight of files.
  void prepare();
  proto::DeliverReply deliver(delivery::Job& job);

  const Settings& settings() const { return settings_; }
  delivery::Reporter& reporter() { return reporter_; }
  /// With or without a look whether this system is among the hosts that are found.
  dns::MailRouter& router(bool loop_check) { return loop_check ? checking_router_ : plain_router_; }

 private:
  Settings settings_;
  delivery::Reporter reporter_;
  dns::Resolver resolver_;
  dns::HostLookup hosts_;
  dns::MailRouter checking_router_, plain_router_;
};

}  // namespace postrider::smtp_client

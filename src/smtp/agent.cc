#include "smtp/agent.h"

#include "smtp/delivery.h"

namespace postrider::smtp_client {

namespace {

dns::RoutingSettings with_loop_check(dns::RoutingSettings settings, bool check) {
  settings.detect_loops = check;
  return settings;
}

}  // namespace

Agent::Agent(const config::Config& config, Protocol protocol, std::string_view service)
    : settings_(config, protocol),
      reporter_(config, service),
      resolver_(dns::ResolverSettings{}),
      hosts_(resolver_, {}),
      checking_router_(resolver_, hosts_, with_loop_check(settings_.routing, true)),
      plain_router_(resolver_, hosts_, with_loop_check(settings_.routing, false)) {}

void Agent::prepare() {
  resolver_.prepare();
  hosts_.prepare();
}

proto::DeliverReply Agent::deliver(delivery::Job& job) {
  return Delivery(*this, job).run();
}

}  // namespace postrider::smtp_client

// virtual - delivers to mailboxes of domains whose users have no accounts.

#include "delivery/report.h"
#include "service/daemon.h"
#include "virtual/delivery.h"

namespace postrider::virtual_mailbox {
namespace {

struct Agent {
  Agent(const config::Config& config, const std::string& service, bool rootless)
      : settings(config, service, rootless), tables(config), reporter(config, service) {
    reporter.filter_with(tables.status_filter);
  }
  Settings settings;
  Tables tables;
  delivery::Reporter reporter;
};

proto::DeliverReply deliver(Agent& agent, delivery::Job& job) {
  proto::DeliverReply reply;
  for (const proto::DeliveryRecipient& recipient : job.request.recipients) {
    Delivery delivery(agent.settings, agent.tables, job);
    mail::DeliveryStatus status = delivery.deliver(recipient);
    if (delivery.damaged()) {
      delivery::mark_corrupt(job);
      reply.deferred = true;
      continue;
    }
    auto done = agent.reporter.report(job.message(), recipient, status, {.relay = agent.settings.service});
    if (done == delivery::Disposition::deferred) reply.deferred = true;
  }
  return reply;
}

void run(service::Daemon& daemon) {
  static Agent agent(daemon.config(), daemon.arguments().service_name, daemon.rootless());
  daemon.confine({.name = "virtual", .all_files = true, .connect = true});
  delivery::serve_deliveries(
      daemon, "virtual", [](delivery::Job& job) { return deliver(agent, job); }, &agent.tables.catalog);
}

}  // namespace
}  // namespace postrider::virtual_mailbox

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "virtual", .one_client = true},
                                 postrider::virtual_mailbox::run);
}

// discard - a delivery agent that drops mail and says so in the log; the next hop is the reason.

#include "delivery/agent.h"
#include "delivery/report.h"
#include "mail/dsn.h"
#include "service/daemon.h"

namespace postrider {
namespace {

proto::DeliverReply discard(delivery::Reporter& reporter, delivery::Job& job) {
  mail::StatusText text = mail::split_status_text("2.0.0", job.request.nexthop);
  mail::DeliveryStatus status{
      .status = text.code, .action = mail::Action::delivered, .reason = std::string(text.text)};
  proto::DeliverReply reply;
  for (const proto::DeliveryRecipient& recipient : job.request.recipients) {
    if (reporter.sent(job.message(), recipient, status, {}) == delivery::Disposition::deferred) {
      reply.deferred = true;
    }
  }
  return reply;
}

void run(service::Daemon& daemon) {
  static delivery::Reporter reporter(daemon.config(), daemon.arguments().service_name);
  daemon.drop_privileges();
  daemon.confine({.name = "discard", .write = {"active"}});
  delivery::serve_deliveries(daemon, "discard", [](delivery::Job& job) { return discard(reporter, job); });
}

}  // namespace
}  // namespace postrider

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "discard"}, postrider::run);
}

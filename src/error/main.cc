// error, retry - delivery agents that deliver nothing: they bounce (error) or defer (retry) every recipient
// with the text that is the next hop, "5.1.1 no such user".

#include "delivery/agent.h"
#include "delivery/report.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "service/daemon.h"

namespace postrider {
namespace {

proto::DeliverReply refuse(delivery::Reporter& reporter, bool retry, delivery::Job& job) {
  const mail::StatusCode fallback = retry ? mail::StatusCode("4.0.0") : mail::StatusCode("5.0.0");
  mail::StatusText text = mail::split_status_text(fallback, job.request.nexthop);
  mail::DeliveryStatus status{.status = text.code, .reason = std::string(text.text)};
  proto::DeliverReply reply;
  for (const proto::DeliveryRecipient& recipient : job.request.recipients) {
    auto disposition = retry ? reporter.defer(job.message(), recipient, status, {})
                             : reporter.bounce(job.message(), recipient, status, {});
    if (disposition == delivery::Disposition::deferred) reply.deferred = true;
  }
  return reply;
}

/// Whether failures are for good depends on the name. The queue manager hears of another one when somebody
/// hangs up.
[[noreturn]] void refuse_to_serve(service::Daemon& daemon, const std::string& name) {
  daemon.drop_privileges();
  daemon.confine({.name = "error"});
  daemon.serve([name](service::Client) { log::fatal("bad error service name: {}", name); });
}

void run(service::Daemon& daemon) {
  const std::string& service = daemon.arguments().service_name;
  bool retry = service == "retry";
  if (!retry && service != "error") refuse_to_serve(daemon, service);
  static delivery::Reporter reporter(daemon.config(), daemon.arguments().service_name);
  daemon.drop_privileges();
  daemon.confine({.name = "error", .write = {"active"}});
  delivery::serve_deliveries(daemon, "error",
                             [retry](delivery::Job& job) { return refuse(reporter, retry, job); });
}

}  // namespace
}  // namespace postrider

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "error"}, postrider::run);
}

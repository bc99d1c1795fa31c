// pipe - delivers to a command that master.cf names, for UUCP, content filters, mailing list managers and the
// like.

#include "delivery/report.h"
#include "log/log.h"
#include "pipe/delivery.h"
#include "service/daemon.h"

namespace postrider::pipe {
namespace {

struct Agent {
  Agent(const config::Config& config, Attributes a, std::unique_ptr<mailbox::Runner> r)
      : attributes(std::move(a)), runner(std::move(r)), reporter(config, attributes.service) {}
  Attributes attributes;
  std::unique_ptr<mailbox::Runner> runner;
  delivery::Reporter reporter;
};

proto::DeliverReply deliver(Agent& agent, delivery::Job& job) {
  proto::DeliverReply reply;
  if (job.request.recipients.empty()) return reply;
  mail::DeliveryStatus status = Delivery(agent.attributes, *agent.runner, job).deliver();
  for (const proto::DeliveryRecipient& recipient : job.request.recipients) {
    auto done = agent.reporter.report(job.message(), recipient, status, {.relay = agent.attributes.service});
    if (done == delivery::Disposition::deferred) reply.deferred = true;
  }
  return reply;
}

void run(service::Daemon& daemon) {
  const service::Arguments& arguments = daemon.arguments();
  Attributes attributes =
      parse_attributes(daemon.config(), arguments.service_name, arguments.rest, daemon.rootless());
  mailbox::Runner::Options options;
  if (attributes.switch_user) options.only_as = attributes.as;
  auto runner = mailbox::Runner::start(options);
  if (!runner) log::fatal("{}", runner.error().text);
  static Agent agent(daemon.config(), std::move(attributes), std::move(*runner));
  // From here on only the helper can become the command's user.
  daemon.become_owner();
  daemon.confine({.name = "pipe", .write = {"active"}});
  delivery::serve_deliveries(daemon, "pipe", [](delivery::Job& job) { return deliver(agent, job); });
}

}  // namespace
}  // namespace postrider::pipe

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "pipe", .one_client = true}, postrider::pipe::run);
}

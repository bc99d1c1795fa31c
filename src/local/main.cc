// local - delivers to the users of this machine: aliases, forward files, mailboxes, commands.

#include <signal.h>

#include "local/delivery.h"
#include "log/log.h"
#include "queue/envelope.h"
#include "service/daemon.h"

namespace postrider::local {
namespace {

/// Marks the recipient in the queue file. One that cannot be marked is delivered again.
bool mark_done(delivery::Job& job, const proto::DeliveryRecipient& recipient) {
  if (recipient.offset < 0) return true;
  auto marked = queue::mark_done(*job.file, static_cast<uint64_t>(recipient.offset));
  if (!marked) log::warning("{}: {}", job.request.queue_id, marked.error().text);
  return marked.has_value();
}

proto::DeliverReply deliver(Agent& agent, delivery::Job& job) {
  proto::DeliverReply reply;
  auto loops = mailbox::DeliveredTo::read(*job.file, job.request.data_offset);
  if (!loops) {
    log::warning("{}: {}", job.request.queue_id, loops.error().text);
    reply.deferred = true;
    return reply;
  }
  delivery::Handover handover(agent.config, agent.settings.service);
  for (const proto::DeliveryRecipient& recipient : job.request.recipients) {
    Delivery delivery(agent, job, *loops, handover);
    auto done = delivery.run(recipient);
    if (delivery.damaged()) {
      delivery::mark_corrupt(job);
      reply.deferred = true;
    } else if (done == delivery::Disposition::deferred || !mark_done(job, recipient))
      reply.deferred = true;
  }
  return reply;
}

void run(service::Daemon& daemon) {
  static Agent agent(daemon.config(), daemon.arguments().service_name, daemon.rootless());
  auto runner = mailbox::Runner::start({.file_size_limit = agent.settings.mailbox_size_limit});
  if (!runner) log::fatal("{}", runner.error().text);
  agent.runner = std::move(*runner);
  daemon.confine({.name = "local", .all_files = true, .connect = true});
  delivery::serve_deliveries(
      daemon, "local", [](delivery::Job& job) { return deliver(agent, job); }, &agent.tables.catalog);
}

}  // namespace
}  // namespace postrider::local

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "local", .one_client = true}, postrider::local::run);
}

// pipe - delivers to a command that master.cf names, for UUCP, content filters, mailing list managers and the
// like.

#include <optional>

#include "clients/tables.h"
#include "config/params/local.h"
#include "delivery/report.h"
#include "log/log.h"
#include "pipe/delivery.h"
#include "service/daemon.h"
#include "service/log_setup.h"

namespace postrider::pipe {
namespace {

struct Agent {
  Agent(const config::Config& config, Attributes a, std::unique_ptr<mailbox::Runner> r)
      : attributes(std::move(a)),
        runner(std::move(r)),
        catalog(clients::table_options(config)),
        reporter(config, attributes.service) {
    table::Use text{.fold_fixed = false, .any_bytes = true};
    reporter.filter_with(
        clients::open_maps(catalog, config, config::params::pipe_delivery_status_filter, text, paths));
  }
  Attributes attributes;
  std::unique_ptr<mailbox::Runner> runner;
  table::Catalog catalog;
  std::vector<std::string> paths;  ///< What the tables need when the process has lost sight of files.
  delivery::Reporter reporter;
};

proto::DeliverReply deliver(Agent& agent, delivery::Job& job) {
  proto::DeliverReply reply;
  if (job.request.recipients.empty()) return reply;
  auto outcome = Delivery(agent.attributes, *agent.runner, job).deliver();
  if (!outcome) {
    delivery::mark_corrupt(job);
    reply.deferred = true;
    return reply;
  }
  const mail::DeliveryStatus& status = *outcome;
  for (const proto::DeliveryRecipient& recipient : job.request.recipients) {
    auto done = agent.reporter.report(job.message(), recipient, status, {.relay = agent.attributes.service});
    if (done == delivery::Disposition::deferred) reply.deferred = true;
  }
  return reply;
}

/// The queue manager hears of a mistake in master.cf at once when it finds somebody who hangs up; without
/// anybody it would wait.
[[noreturn]] void hang_up(service::Daemon& daemon, const config::ConfigError& mistake) {
  daemon.become_owner();
  daemon.confine({.name = "pipe"});
  daemon.serve([mistake](service::Client) { service::fatal_config(mistake); });
}

Attributes read_attributes(service::Daemon& daemon) {
  const service::Arguments& arguments = daemon.arguments();
  std::optional<config::ConfigError> mistake;
  try {
    return parse_attributes(daemon.config(), arguments.service_name, arguments.rest, daemon.rootless());
  } catch (const config::ConfigError& error) {
    mistake = error;
  }
  hang_up(daemon, *mistake);
}

void run(service::Daemon& daemon) {
  Attributes attributes = read_attributes(daemon);
  mailbox::Runner::Options options;
  if (attributes.switch_user) options.only_as = attributes.as;
  auto runner = mailbox::Runner::start(options);
  if (!runner) log::fatal("{}", runner.error().text);
  static Agent agent(daemon.config(), std::move(attributes), std::move(*runner));
  // From here on only the helper can become the command's user.
  daemon.become_owner();
  daemon.confine({.name = "pipe", .read = agent.paths, .write = {"active"}});
  delivery::serve_deliveries(
      daemon, "pipe", [](delivery::Job& job) { return deliver(agent, job); }, &agent.catalog);
}

}  // namespace
}  // namespace postrider::pipe

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "pipe", .one_client = true}, postrider::pipe::run);
}

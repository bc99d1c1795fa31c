// spawn - runs a command for each client, with the connection as its standard input and output; policy
// servers for example.

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mailbox/runner.h"
#include "service/daemon.h"
#include "spawn/attributes.h"

namespace postrider::spawn {
namespace {

mailbox::RunRequest request_for(const Attributes& attributes) {
  mailbox::RunRequest out;
  for (const std::string& argument : attributes.argv)
    out.argv.emplace_back(argument);
  for (const std::string& entry : attributes.environment)
    out.environment.emplace_back(entry);
  out.switch_user = attributes.switch_user;
  out.uid = attributes.as.uid;
  out.gid = attributes.as.gid;
  out.time_limit = attributes.time_limit.count();
  return out;
}

void report(const mailbox::RunReply& reply, const std::string& command) {
  switch (reply.end) {
    case mailbox::RunEnd::exited:
      if (reply.number != 0) log::warning("command {} exit status {}", command, reply.number);
      return;
    case mailbox::RunEnd::killed:
      return log::warning("command {} killed by signal {}", command, reply.number);
    case mailbox::RunEnd::timed_out:
      return log::warning("{}: process id {}: command time limit exceeded", command, reply.process);
    case mailbox::RunEnd::not_started:
    case mailbox::RunEnd::not_prepared:
      log::write(log::Severity::fatal, printable(reply.error));
      return log::warning("command {} exit status 1", command);
  }
}

void run(service::Daemon& daemon) {
  const service::Arguments& arguments = daemon.arguments();
  static Attributes attributes =
      parse_attributes(daemon.config(), arguments.service_name, arguments.rest, daemon.rootless());
  mailbox::Runner::Options options;
  if (attributes.switch_user) options.only_as = attributes.as;
  auto started = mailbox::Runner::start(options);
  if (!started) log::fatal("{}", started.error().text);
  static std::unique_ptr<mailbox::Runner> runner = std::move(*started);
  // From here on only the helper can become the command's user.
  daemon.become_owner();
  daemon.confine({.name = "spawn"});
  daemon.serve([](service::Client client) {
    auto reply = runner->run_connected(request_for(attributes), client.stream.fd());
    if (!reply) log::fatal("command helper: {}", reply.error().text);
    report(*reply, attributes.argv.front());
  });
}

}  // namespace
}  // namespace postrider::spawn

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "spawn", .one_client = true}, postrider::spawn::run);
}

// smtp, lmtp - delivers mail to other systems. Which of the two protocols is spoken, the program's name
// decides.

#include "delivery/agent.h"
#include "service/daemon.h"
#include "smtp/agent.h"

namespace postrider::smtp_client {
namespace {

Protocol protocol = Protocol::smtp;

void run(service::Daemon& daemon) {
  // Lives as long as the process.
  static auto* agent = new Agent(daemon.config(), protocol, daemon.arguments().rest);
  agent->prepare();
  daemon.drop_privileges();
  daemon.confine({.name = "smtp",
                  .read = agent->paths(),
                  .write = {"active"},
                  .connect = true,
                  .accept_more = agent->binds()});
  if (agent->uses_tls()) daemon.at_start([] { agent->start(); });
  delivery::serve_deliveries(
      daemon, "smtp", [](delivery::Job& job) { return agent->deliver(job); }, &agent->tables().catalog);
}

}  // namespace
}  // namespace postrider::smtp_client

int main(int argc, char** argv) {
  std::string_view path = argc > 0 ? argv[0] : "smtp";
  bool lmtp = path.substr(path.rfind('/') + 1) == "lmtp";
  if (lmtp) postrider::smtp_client::protocol = postrider::smtp_client::Protocol::lmtp;
  return postrider::service::run(argc, argv, {.name = lmtp ? "lmtp" : "smtp"}, postrider::smtp_client::run);
}

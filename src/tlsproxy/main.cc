// tlsproxy - speaks TLS on connections of other processes.

#include "clients/tables.h"
#include "config/params/tlsproxy.h"
#include "service/daemon.h"
#include "tlsproxy/session.h"

namespace postrider::tlsproxy {
namespace {

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  // They live as long as the process.
  static table::Catalog tables(clients::table_options(config));
  std::vector<std::string> paths;
  static Engine engine(config, tables, paths);
  daemon.drop_privileges();
  daemon.confine({.name = "tlsproxy", .read = paths});
  daemon.set_watchdog(config.get(config::params::tlsproxy_watchdog_timeout));
  daemon.at_start([] { engine.seed(Deadline::after(seconds(10))); });
  daemon.serve([](service::Client client) {
    auto session = std::make_unique<Session>(engine, std::move(client.stream));
    session->run();
  });
}

}  // namespace
}  // namespace postrider::tlsproxy

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "tlsproxy"}, postrider::tlsproxy::run);
}

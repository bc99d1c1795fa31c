// trivial-rewrite - brings addresses into standard form and says where mail for them goes.

#include "config/params/system.h"
#include "log/log.h"
#include "service/daemon.h"
#include "trivial-rewrite/service.h"

namespace postrider::trivial_rewrite {
namespace {

void run(service::Daemon& daemon) {
  static Service service(daemon.config());
  static ipc::Dispatcher dispatcher;
  service.add_handlers(dispatcher);
  seconds idle = daemon.config().get(config::params::ipc_ttl);
  seconds limit = daemon.config().get(config::params::ipc_timeout);
  daemon.drop_privileges();
  daemon.confine({.name = "trivial-rewrite", .read = service.paths()});
  daemon.serve([idle, limit](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "rewrite");
    if (auto served = dispatcher.serve(connection, idle, limit); !served) {
      log::warning("{}", served.error().text);
    }
  });
}

}  // namespace
}  // namespace postrider::trivial_rewrite

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "trivial-rewrite"}, postrider::trivial_rewrite::run);
}

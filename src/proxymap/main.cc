// proxymap - looks up in tables for processes that cannot, or should not, open them themselves.
// proxywrite - the same, and changes them.

#include "config/params/services.h"
#include "config/params/system.h"
#include "log/log.h"
#include "proxymap/service.h"
#include "service/daemon.h"
#include "sys/file.h"

namespace postrider::proxymap {
namespace {

namespace params = config::params;

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  bool writes = daemon.arguments().service_name == config.get(params::proxywrite_service_name);
  static Service service(config, writes ? Role::writer : Role::reader);
  static ipc::Dispatcher dispatcher;
  service.add_handlers(dispatcher);
  seconds idle = config.get(params::ipc_ttl), limit = config.get(params::ipc_timeout);
  daemon.drop_privileges();
  sandbox::Profile profile{.name = writes ? "proxywrite" : "proxymap", .connect = true};
  (writes ? profile.write : profile.read) = service.paths();
  daemon.confine(profile);
  daemon.serve([idle, limit](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "proxymap");
    if (auto served = dispatcher.serve(connection, idle, limit); !served)
      log::warning("{}", served.error().text);
  });
}

}  // namespace
}  // namespace postrider::proxymap

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "proxymap"}, postrider::proxymap::run);
}

// bounce, defer, trace - keep delivery logs, and make notices of them: to senders about mail that failed,
// waits or was delivered, and to the postmaster.

#include "bounce/service.h"
#include "clients/queue_layout.h"
#include "config/params/bounce.h"
#include "config/params/system.h"
#include "log/log.h"
#include "service/daemon.h"

namespace postrider::bounce {
namespace {

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  const std::string& name = daemon.arguments().service_name;
  static Settings settings(config, name);
  static queue::Store store(queue::system_files(), clients::removing_queue_layout(config));
  static queue::Committer committer(queue::system_files());
  static clients::InternalMailer mailer(config, name);
  static Service service(settings, store, committer, mailer);
  static ipc::Dispatcher dispatcher;
  service.add_handlers(dispatcher);
  seconds idle = config.get(config::params::ipc_ttl);
  daemon.drop_privileges();
  daemon.confine({.name = "bounce",
                  .read = {"incoming", "active", "deferred", "hold"},
                  .write = {std::string(queue::queue_name(queue::log_queue(settings.log))), "saved"}});
  daemon.serve([idle](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "bounce");
    if (auto served = dispatcher.serve(connection, idle, settings.ipc_timeout); !served) {
      log::warning("{}", served.error().text);
    }
  });
}

}  // namespace
}  // namespace postrider::bounce

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "bounce"}, postrider::bounce::run);
}

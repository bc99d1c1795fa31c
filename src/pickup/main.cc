// pickup - takes what local users submitted into the maildrop queue and hands it to cleanup.

#include "clients/queue_layout.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "pickup/sweep.h"
#include "service/daemon.h"

namespace postrider::pickup {
namespace {

namespace params = config::params;

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static Settings settings(config);
  static queue::Store store(queue::system_files(), clients::removing_queue_layout(config));
  static clients::CleanupClient cleanup(config, config.get(params::cleanup_service_name), "pickup");
  static Sweep sweep(settings, store, cleanup);
  daemon.drop_privileges();
  daemon.confine({.name = "pickup", .write = {"maildrop", "saved"}});
  daemon.serve_triggers([&daemon](std::string_view) {
    // Whoever woke us up is not kept waiting; many wake-ups while messages are under way make one more round.
    daemon.hold();
    io::spawn([&daemon] {
      sweep.run();
      daemon.release();
    });
  });
}

}  // namespace
}  // namespace postrider::pickup

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "pickup"}, postrider::pickup::run);
}

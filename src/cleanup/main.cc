// cleanup - takes messages from all sources, brings them into standard form and puts them into the incoming
// queue.

#include "cleanup/job.h"
#include "log/log.h"
#include "service/daemon.h"

namespace postrider::cleanup {
namespace {

void run(service::Daemon& daemon) {
  static Workshop workshop(daemon.config());
  daemon.drop_privileges();
  daemon.confine({.name = "cleanup",
                  .read = workshop.tables.paths,
                  .write = {"incoming", "hold", "trace"},
                  .connect = milter::needs_network(workshop.filters.local)});
  daemon.serve([](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "cleanup");
    if (auto served = serve(workshop, connection); !served) log::warning("{}", served.error().text);
  });
}

}  // namespace
}  // namespace postrider::cleanup

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "cleanup"}, postrider::cleanup::run);
}

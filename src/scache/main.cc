// scache - watches over the connections that delivery agents keep for further mail. The agents keep them
// themselves, as each serves many deliveries; this service puts together how well that works, and logs it.

#include "config/params/services.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "ipc/connection.h"
#include "log/log.h"
#include "scache/statistics.h"
#include "service/daemon.h"

namespace postrider::scache {
namespace {

void log_statistics(Statistics& statistics) {
  for (const std::string& line : statistics.take_lines(::time(nullptr)))
    log::info("{}", line);
}

/// The reports of one process, until it ends. It expects no answer, not even a greeting, and may have hung up
/// after its report: who wrote to it then could no longer read what it has said.
void serve(Statistics& statistics, ipc::Connection& connection, uint64_t process, seconds timeout) {
  for (;;) {
    connection.wait_frame(Deadline::never());
    auto report = connection.receive_as<proto::CacheReport>(Deadline::after(timeout));
    if (report) {
      statistics.add(process, *report);
    } else {
      if (report.error().kind != ErrorKind::closed) log::warning("{}", report.error().text);
      return;
    }
  }
}

void run(service::Daemon& daemon) {
  seconds interval = daemon.config().get(config::params::connection_cache_status_update_time);
  seconds timeout = daemon.config().get(config::params::ipc_timeout);
  static Statistics statistics(::time(nullptr));
  static uint64_t processes = 0;
  daemon.drop_privileges();
  daemon.confine({.name = "scache"});
  daemon.at_start([interval] {
    for (;;) {
      io::sleep_for(interval);
      log_statistics(statistics);
    }
  });
  daemon.on_retire([] { log_statistics(statistics); });
  daemon.serve([timeout](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "scache");
    serve(statistics, connection, ++processes, timeout);
  });
}

}  // namespace
}  // namespace postrider::scache

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "scache"}, postrider::scache::run);
}

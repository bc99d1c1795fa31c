// anvil - counts clients' connections and what they do, for all processes of a service together.

#include "anvil/service.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "log/log.h"
#include "service/daemon.h"

namespace postrider::anvil {
namespace {

constexpr size_t kMaxClients = 200'000;

void log_statistics(Ledger& ledger) {
  for (const std::string& line : ledger.take_statistics())
    log::info("{}", line);
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  seconds time_unit = config.get(config::params::anvil_rate_time_unit);
  seconds status_time = config.get(config::params::anvil_status_update_time);
  seconds timeout = config.get(config::params::ipc_timeout);
  static Ledger ledger(time_unit, kMaxClients, [] { return Clock::now(); }, [] { return ::time(nullptr); });
  daemon.drop_privileges();
  daemon.confine({.name = "anvil"});
  daemon.at_start([time_unit] {
    for (;;) {
      io::sleep_for(time_unit);
      ledger.expire();
    }
  });
  daemon.at_start([status_time] {
    for (;;) {
      io::sleep_for(status_time);
      log_statistics(ledger);
    }
  });
  daemon.on_retire([] { log_statistics(ledger); });
  daemon.serve([timeout](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "anvil");
    if (auto served = serve(ledger, connection, timeout); !served) log::warning("{}", served.error().text);
  });
}

}  // namespace
}  // namespace postrider::anvil

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "anvil"}, postrider::anvil::run);
}

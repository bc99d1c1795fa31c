// verify - finds out which addresses take mail, with probes that stop before their content is sent, and
// remembers it.

#include <unistd.h>

#include <ctime>

#include "base/text.h"
#include "clients/cache_table.h"
#include "clients/internal_mail.h"
#include "clients/tables.h"
#include "clients/verify.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "log/log.h"
#include "queue/envelope.h"
#include "service/daemon.h"
#include "verify/service.h"

namespace postrider::verify {
namespace {

int64_t now() {
  return ::time(nullptr);
}

/// A message to the address, which no agent delivers.
void send_probe(clients::InternalMailer& mailer, const std::string& sender, const std::string& address,
                seconds timeout) {
  Deadline deadline = Deadline::after(timeout);
  auto probe = mailer.begin({.sender = sender,
                             .recipient = address,
                             .mail_class = clients::InternalMailClass::verify,
                             .trace_flags = queue::kTraceProbe},
                            deadline);
  auto sent = probe ? probe->finish(deadline) : std::unexpected(std::move(probe).error());
  if (!sent) log::warning("no probe of <{}>: {}", printable(address), sent.error().text);
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static Settings settings(config);
  using table::RecordCache;
  static RecordCache cache =
      settings.map.empty()
          ? RecordCache()

          : RecordCache(clients::open_cache_table(config, "address_verify_map", settings.map));
  static clients::InternalMailer mailer(config, "verify");
  static clients::ProbeSender sender(config);
  static Service service(
      settings, cache,
      [](std::string address) {
        io::spawn([address = std::move(address)] {
          send_probe(mailer, sender.at(now()), address, settings.ipc_timeout);
        });
      },
      now);
  static ipc::Dispatcher dispatcher;
  service.add_handlers(dispatcher);
  std::vector<std::string> paths;
  clients::add_required_paths(settings.map, paths);
  daemon.drop_privileges();
  daemon.confine({.name = "verify", .write = paths});
  daemon.at_start([] {
    clients::sweep_cache_forever(cache, settings.cleanup_interval,
                                 [](std::string_view entry) { return service.is_expired(entry); });
  });
  daemon.at_start([] { clients::flush_cache_forever(cache); });
  // The next process needs the table: clients that wait for an answer ask that one.
  daemon.on_retire([&daemon] { daemon.leave(); });
  daemon.on_leave([] { cache.close(); });
  daemon.serve([](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "verify");
    if (auto served = dispatcher.serve(connection, settings.ipc_idle, settings.ipc_timeout); !served) {
      log::warning("{}", served.error().text);
    }
  });
}

}  // namespace
}  // namespace postrider::verify

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "verify"}, postrider::verify::run);
}

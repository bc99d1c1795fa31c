// showq - lists the queue.

#include "clients/queue_layout.h"
#include "config/params/cleanup.h"
#include "config/params/rewrite.h"
#include "config/params/system.h"
#include "io/offload.h"
#include "ipc/connection.h"
#include "log/log.h"
#include "service/daemon.h"
#include "showq/lister.h"

namespace postrider::showq {
namespace {

namespace params = config::params;

/// What one client gets: all entries, then the end.
Result<void> list(const queue::Store& store, const Rules& rules, seconds timeout,
                  ipc::Connection& connection) {
  auto lister = std::make_shared<Lister>(store, rules);
  for (bool done = false; !done;) {
    Lister::Batch batch = TRY(io::offload([lister] { return lister->next(); }, Deadline::never()));
    for (const std::string& warning : batch.warnings)
      log::warning("{}", warning);
    for (proto::QueueEntry& entry : batch.entries)
      TRY(connection.put(entry));
    TRY(connection.flush(Deadline::after(timeout)));
    done = batch.done;
  }
  return connection.send(proto::QueueEnd{}, Deadline::after(timeout));
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static queue::Store store(queue::system_files(), clients::queue_layout(config));
  static Rules rules{.dup_limit = static_cast<size_t>(config.get(params::duplicate_filter_limit)),
                     .empty_address = config.get(params::empty_address_recipient)};
  seconds timeout = config.get(params::ipc_timeout);
  daemon.drop_privileges();
  daemon.confine(
      {.name = "showq", .read = {"maildrop", "incoming", "active", "deferred", "hold", "defer", "bounce"}});
  daemon.serve([timeout](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "showq");
    auto listed = list(store, rules, timeout, connection);
    // Whoever has seen enough of the listing may leave.
    if (!listed) log::debug("{}", listed.error().text);
  });
}

}  // namespace
}  // namespace postrider::showq

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "showq"}, postrider::showq::run);
}

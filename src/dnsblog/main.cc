// dnsblog - looks clients up in DNS lists for postscreen, which must not wait for name servers, and logs what
// is found.

#include "config/params/postscreen.h"
#include "config/params/system.h"
#include "dnsblog/service.h"
#include "io/fiber.h"
#include "ipc/server.h"
#include "log/log.h"
#include "service/daemon.h"

namespace postrider::dnsblog {
namespace {

namespace params = config::params;

/// Requests that are worked on at a time: a list that is slow holds none of the others up.
constexpr size_t kConcurrency = 2000;

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static const seconds delay = config.get(params::dnsblog_reply_delay);
  static const seconds idle = config.get(params::ipc_ttl), limit = config.get(params::ipc_timeout);
  static dns::Resolver resolver({});
  static ipc::Dispatcher dispatcher;
  resolver.prepare();
  dispatcher.set_concurrency(kConcurrency);
  dispatcher.on<proto::DnsblogQuery>([](const proto::DnsblogQuery& query,
                                        Deadline deadline) -> Result<proto::DnsblogReply> {
    auto reply = look_up(
        query,
        [](std::string_view name, Deadline until) { return resolver.lookup(name, dns::Type::a, {}, until); },
        deadline);
    if (delay.count() > 0) io::sleep_for(delay);
    return reply;
  });
  daemon.drop_privileges();
  daemon.confine({.name = "dnsblog", .connect = true});
  daemon.serve([](service::Client client) {
    ipc::Connection connection(std::move(client.stream), "dnsblog");
    if (auto served = dispatcher.serve(connection, idle, limit); !served)
      log::warning("{}", served.error().text);
  });
}

}  // namespace
}  // namespace postrider::dnsblog

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "dnsblog"}, postrider::dnsblog::run);
}

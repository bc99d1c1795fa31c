// flush - knows which mail waits for a destination, and has it delivered when the destination asks for it.

#include "config/params/system.h"
#include "flush/service.h"
#include "ipc/frame_start.h"
#include "ipc/server.h"
#include "log/log.h"
#include "service/daemon.h"

namespace postrider::flush {
namespace {

namespace params = config::params;

void add_handlers(ipc::Dispatcher& dispatcher, Service& service) {
  auto reply = [](proto::FlushResult result) -> Result<proto::FlushReply> {
    return proto::FlushReply{result};
  };
  dispatcher.on<proto::FlushAdd>([&service, reply](const proto::FlushAdd& request, Deadline deadline) {
    return reply(service.add(request.site, request.queue_id, deadline));
  });
  dispatcher.on<proto::FlushSite>([&service, reply](const proto::FlushSite& request, Deadline deadline) {
    return reply(service.send_site(request.site, deadline));
  });
  dispatcher.on<proto::FlushMessage>(
      [&service, reply](const proto::FlushMessage& request, Deadline deadline) {
        return reply(service.send_message(request.queue_id, deadline));
      });
}

void on_triggers(Service& service, std::string_view letters) {
  if (letters.find('P') != letters.npos) return service.refresh(seconds(0));
  if (letters.find('W') != letters.npos) service.refresh(service.refresh_time());
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static Service service(config);
  static ipc::Dispatcher dispatcher;
  add_handlers(dispatcher, service);
  seconds idle = config.get(params::ipc_ttl), limit = config.get(params::ipc_timeout);
  daemon.drop_privileges();
  daemon.confine({.name = "flush", .read = service.paths(), .write = {"flush", "incoming", "deferred"}});
  daemon.serve([idle, limit](service::Client client) {
    auto arrived = client.stream.fill(Deadline::after(limit));
    if (!arrived || !*arrived) return;
    if (!ipc::is_frame_start(client.stream.buffered())) return on_triggers(service, client.stream.buffered());
    ipc::Connection connection(std::move(client.stream), "flush");
    if (auto served = dispatcher.serve(connection, idle, limit); !served)
      log::warning("{}", served.error().text);
  });
}

}  // namespace
}  // namespace postrider::flush

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "flush"}, postrider::flush::run);
}

// qmgr - the queue manager: it decides which message is delivered when, by whom, and how many at a time.

#include <fcntl.h>

#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "ipc/connection.h"
#include "ipc/frame_start.h"
#include "log/log.h"
#include "proto/qmgr.h"
#include "qmgr/active_queue.h"
#include "qmgr/feeder.h"
#include "qmgr/settings.h"
#include "service/daemon.h"
#include "sys/fd.h"
#include "sys/file.h"

namespace postrider::qmgr {
namespace {

constexpr milliseconds kTryAgain(20);
constexpr int kPatience = 50;  // Tries until the log says what is being waited for.
constexpr seconds kDrainTime(10);

/// One-letter requests, as postqueue, postkick and master's wakeup timer send them.
void on_triggers(Feeder& feeder, std::string_view requests) {
  bool flush = requests.find('F') != std::string_view::npos;
  bool all = requests.find('A') != std::string_view::npos;
  if (flush) feeder.flush();
  for (char request : requests) {
    switch (request) {
      case 'I':
      case 'W':
        feeder.scan_incoming();
        break;
      case 'D':
        feeder.scan_deferred(all);
        break;
      default:
        break;  // 'F' and 'A' were seen above; others are for qmgr versions that do not exist.
    }
  }
}

void serve_client(Feeder& feeder, service::Client client, seconds timeout) {
  auto arrived = client.stream.fill(Deadline::after(timeout));
  if (!arrived || !*arrived) return;
  if (!ipc::is_frame_start(client.stream.buffered())) return on_triggers(feeder, client.stream.buffered());
  ipc::Connection connection(std::move(client.stream), "qmgr");
  for (;;) {
    connection.wait_frame(Deadline::never());
    auto arrival = connection.receive_as<proto::MessageArrived>(Deadline::after(timeout));
    if (!arrival) {
      if (arrival.error().kind != ErrorKind::closed)
        log::warning("notice of a message: {}", arrival.error().text);
      // Perhaps it died before it could tell of the last message that it had queued.
      return feeder.scan_incoming();
    }
    feeder.announce(std::move(arrival->queue_id));
  }
}

/// One queue manager at a time works on a queue: the former one may still be finishing.
void wait_for_turn(const sys::Fd& queue) {
  for (int tries = 0; !sys::flock_exclusive(queue.get(), /*wait=*/false); ++tries) {
    if (tries == kPatience) log::info("waiting for the former queue manager to finish");
    io::sleep_for(kTryAgain);
  }
}

void run(service::Daemon& daemon) {
  static Settings settings(daemon.config());
  static queue::Store store(queue::system_files(), settings.layout);
  daemon.set_watchdog(settings.daemon_timeout);
  daemon.drop_privileges();
  daemon.confine({.name = "qmgr",
                  .read = {"bounce", "trace"},
                  .write = {"incoming", "active", "deferred", "corrupt", "defer", "saved"}});
  // The lock ends with the process.
  static auto lock = sys::open_file(store.directory(queue::QueueName::active), O_RDONLY | O_DIRECTORY);
  if (!lock) log::fatal("{}", lock.error().text);
  static ActiveQueue active(settings, store);
  static Feeder feeder(settings, store, active);
  daemon.hold();
  daemon.at_start([] {
    wait_for_turn(*lock);
    feeder.recover();
    feeder.start();
  });
  // The next queue manager begins when this one has ended; what is still being delivered then is skipped by
  // it.
  daemon.on_retire([&daemon] {
    io::spawn([&daemon] {
      active.drain(Deadline::after(kDrainTime));
      daemon.leave();
    });
  });
  daemon.serve(
      [&](service::Client client) { serve_client(feeder, std::move(client), settings.ipc_timeout); });
}

}  // namespace
}  // namespace postrider::qmgr

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "qmgr", .never_idle_out = true}, postrider::qmgr::run);
}

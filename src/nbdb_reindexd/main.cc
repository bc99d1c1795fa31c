// nbdb_reindexd - makes indexes that take the place of Berkeley DB files, with the rights of those who own
// them.

#include <cstdlib>
#include <optional>

#include "clients/mail_owner.h"
#include "config/params/system.h"
#include "io/loop.h"
#include "io/sync.h"
#include "ipc/frame_start.h"
#include "ipc/server.h"
#include "log/log.h"
#include "nbdb_reindexd/indexer.h"
#include "proto/reindex.h"
#include "service/daemon.h"

namespace postrider::nbdb_reindexd {
namespace {

namespace params = config::params;

/// A table for which this is too short is better indexed by hand.
constexpr seconds kTimeLimit{100};

/// Outside of fibers, whose stacks are small for this; nobody else is served meanwhile.
Result<void> run_on_loop(const Indexer& indexer, const proto::Reindex& request, Deadline deadline) {
  struct Job {
    Result<void> outcome;
    bool done = false;
    io::Condition changed;
  };
  auto job = std::make_shared<Job>();
  io::Loop::current().post(
      [job, &indexer, type = std::string(request.type), path = std::string(request.path)] {
        job->outcome = indexer.run(type, path);
        job->done = true;
        job->changed.notify_all();
      });
  while (!job->done)
    if (!job->changed.wait(deadline)) return fail(ErrorKind::timeout, "timed out");
  return std::move(job->outcome);
}

Result<proto::Reindexed> answer(const Indexer& indexer, const proto::Reindex& request, Deadline deadline) {
  auto done = run_on_loop(indexer, request, deadline);
  if (done) return proto::Reindexed{};
  log::warning("request to index {}:{} failed: {}", request.type, request.path, done.error().text);
  return std::unexpected(std::move(done).error());
}

/// "nbdb_reindexd -S hash:/path", for the administrator.
[[noreturn]] void run_alone(const Indexer& indexer, const std::vector<std::string>& arguments) {
  log::Settings settings = log::settings();
  settings.to_stderr = true;
  log::open(std::move(settings));
  if (arguments.size() != 1) log::fatal("stand-alone mode requires one type:/path argument");
  const std::string& table = arguments.front();
  size_t colon = table.find(":/");
  if (colon == std::string::npos) log::fatal("stand-alone mode called with bad argument: '{}'", table);
  auto done = indexer.run(table.substr(0, colon), table.substr(colon + 1));
  if (!done) log::warning("stand-alone request to re-index '{}' failed: {}", table, done.error().text);
  log::flush();
  std::exit(done ? 0 : 1);
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static Indexer indexer{Settings(config)};
  std::vector<std::string> places;
  for (const Prefixes& prefixes : {indexer.settings().rules.root, indexer.settings().rules.user})
    places.insert(places.end(), prefixes.directories().begin(), prefixes.directories().end());
  static ipc::Dispatcher dispatcher;
  dispatcher.on<proto::Reindex>(
      [](const proto::Reindex& request, Deadline deadline) { return answer(indexer, request, deadline); });
  seconds idle = config.get(params::ipc_idle), limit = config.get(params::ipc_timeout);
  daemon.drop_privileges();
  daemon.confine({.name = "nbdb_reindexd", .write = places, .identities = true});
  // Rights of root are at hand, but not in use.
  static std::optional<sys::AsUser> owner = clients::become_mail_owner(config);
  if (daemon.arguments().stand_alone) run_alone(indexer, daemon.arguments().rest);
  daemon.set_watchdog(kTimeLimit);
  daemon.serve([idle, limit](service::Client client) {
    auto arrived = client.stream.fill(Deadline::after(limit));
    if (!arrived || !*arrived || !ipc::is_frame_start(client.stream.buffered())) return;
    ipc::Connection connection(std::move(client.stream), "nbdb_reindexd");
    if (auto served = dispatcher.serve(connection, idle, limit); !served)
      log::warning("{}", served.error().text);
  });
}

}  // namespace
}  // namespace postrider::nbdb_reindexd

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "nbdb_reindexd", .one_client = true},
                                 postrider::nbdb_reindexd::run);
}

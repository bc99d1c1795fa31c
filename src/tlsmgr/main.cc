// tlsmgr - keeps what processes that speak TLS share: sessions, keys of session tickets, randomness.

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/cache_table.h"
#include "clients/mail_owner.h"
#include "clients/tables.h"
#include "config/params/instance.h"
#include "config/params/lmtp_tls.h"
#include "config/params/services.h"
#include "config/params/smtp_tls.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "ipc/frame_start.h"
#include "log/log.h"
#include "service/daemon.h"
#include "sys/file.h"
#include "tlsmgr/randomness.h"
#include "tlsmgr/service.h"

namespace postrider::tlsmgr {
namespace {

namespace params = config::params;

constexpr seconds kSourcePatience{10};

/// Caches of releases that opened them as root are moved to where their owner may write.
std::string own_place(const config::Config& config, const std::string& spec) {
  size_t colon = spec.find(':');
  if (colon == std::string::npos) return spec;
  std::string path = spec.substr(colon + 1);
  auto directory = sys::stat_file(sys::directory_of(path));
  if (!path.starts_with('/') || !directory || directory->st_uid == ::geteuid()) return spec;
  std::string moved = fmt::format("{}/{}", config.get(params::data_directory), sys::base_name(path));
  log::warning("request to update file {} in a directory that is not the mail owner's; using {} instead",
               path, moved);
  return spec.substr(0, colon + 1) + moved;
}

std::unique_ptr<SessionCache> open_cache(const config::Config& config, std::string_view parameter,
                                         const std::string& value, seconds timeout,
                                         std::vector<std::string>& paths) {
  if (value.empty() || timeout.count() <= 0) return nullptr;
  std::string spec = own_place(config, value);
  auto table = clients::open_cache_table(config, parameter, spec);
  clients::add_required_paths(spec, paths);
  return std::make_unique<SessionCache>(std::move(table), timeout);
}

Service::Caches open_caches(const config::Config& c, std::vector<std::string>& paths) {
  return {open_cache(c, "smtpd_tls_session_cache_database", c.get(params::smtpd_tls_session_cache_database),
                     c.get(params::smtpd_tls_session_cache_timeout), paths),
          open_cache(c, "smtp_tls_session_cache_database", c.get(params::smtp_tls_session_cache_database),
                     c.get(params::smtp_tls_session_cache_timeout), paths),
          open_cache(c, "lmtp_tls_session_cache_database", c.get(params::lmtp_tls_session_cache_database),
                     c.get(params::lmtp_tls_session_cache_timeout), paths)};
}

/// Work that comes back after each `interval`.
void repeat(service::Daemon& daemon, seconds interval, std::function<void()> work) {
  daemon.at_start([interval, work = std::move(work)] {
    for (;;) {
      io::sleep_for(interval);
      work();
    }
  });
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static RandomSettings random_settings(config);
  static Randomness randomness(random_settings);
  std::vector<std::string> paths;
  std::optional<sys::AsUser> owner = clients::become_mail_owner(config);
  randomness.open();
  static Service service(KeyRing(config.get(params::smtpd_tls_session_cache_timeout), Randomness::fill),
                         open_caches(config, paths), [] { return ::time(nullptr); });
  owner.reset();
  static ipc::Dispatcher dispatcher;
  service.add_handlers(dispatcher);
  seconds idle = config.get(params::ipc_ttl), limit = config.get(params::ipc_timeout);
  daemon.drop_privileges();
  daemon.confine({.name = "tlsmgr", .write = paths});
  auto reseed = [] { randomness.reseed(Deadline::after(kSourcePatience)); };
  daemon.at_start([reseed] {
    reseed();
    randomness.save();
  });
  repeat(daemon, random_settings.reseed_period, reseed);
  repeat(daemon, random_settings.save_period, [] { randomness.save(); });
  for (const auto& cache : service.caches()) {
    if (!cache) continue;
    daemon.at_start([&cache = *cache] {
      clients::sweep_cache_forever(cache.records(), cache.timeout(), [&cache](std::string_view entry) {
        return cache.is_expired(entry, ::time(nullptr));
      });
    });
    daemon.at_start([&cache = *cache] { clients::flush_cache_forever(cache.records()); });
  }
  // The next process needs the tables: clients that wait for an answer ask that one.
  daemon.on_retire([&daemon] {
    randomness.save();
    daemon.leave();
  });
  daemon.on_leave([] {
    for (const auto& cache : service.caches())
      if (cache) cache->records().close();
  });
  daemon.serve([idle, limit](service::Client client) {
    auto arrived = client.stream.fill(Deadline::after(limit));
    if (!arrived || !*arrived || !ipc::is_frame_start(client.stream.buffered())) return;
    ipc::Connection connection(std::move(client.stream), "tlsmgr");
    if (auto served = dispatcher.serve(connection, idle, limit); !served)
      log::warning("{}", served.error().text);
  });
}

}  // namespace
}  // namespace postrider::tlsmgr

int main(int argc, char** argv) {
  // Its keys live as long as it does.
  return postrider::service::run(argc, argv, {.name = "tlsmgr", .never_idle_out = true},
                                 postrider::tlsmgr::run);
}

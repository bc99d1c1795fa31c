// tlsmgr - keeps what processes that speak TLS share: sessions, keys of session tickets, randomness.

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/instance.h"
#include "config/params/lmtp_tls.h"
#include "config/params/services.h"
#include "config/params/smtp_tls.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "log/log.h"
#include "service/daemon.h"
#include "sys/file.h"
#include "sys/user.h"
#include "table/open.h"
#include "tlsmgr/randomness.h"
#include "tlsmgr/service.h"

namespace postrider::tlsmgr {
namespace {

namespace params = config::params;

constexpr mode_t kCacheMode = 0600;
constexpr seconds kFlushInterval{5};
constexpr seconds kSourcePatience{10};

/// The mail owner, whose files the caches are, for as long as files are opened.
std::optional<sys::AsUser> become_owner(const config::Config& config) {
  if (::geteuid() != 0) return std::nullopt;
  auto user = sys::find_user(config.get(params::mail_owner));
  if (!user || !*user) throw config::ConfigError("mail_owner: unknown user name", {}, "correct mail_owner");
  auto entered = sys::AsUser::enter((*user)->uid, (*user)->gid);
  if (!entered) log::fatal("{}", entered.error().text);
  return std::move(*entered);
}

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
  table::OpenOptions options = clients::table_options(config);
  options.behaviour = {.fold_fixed = false, .fold_patterns = false, .utf8 = false};
  options.access = table::Access::exclusive;
  options.create_mode = kCacheMode;
  options.duplicates = table::Duplicates::replace;
  auto table = table::open(spec, options);
  if (!table) {
    throw config::ConfigError(table.error().text, config.source(parameter),
                              "name a table that can be written to, in a directory of the mail owner");
  }
  clients::add_required_paths(spec, paths);
  return std::make_unique<SessionCache>(std::move(*table), timeout);
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

/// Whether the bytes are the start of a frame and not a letter of master's, which wakes this process up.
bool is_frame(std::string_view bytes) {
  return bytes.size() >= 4 && bytes.substr(1, 3) == std::string_view("\0\0\0", 3);
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  static RandomSettings random_settings(config);
  static Randomness randomness(random_settings);
  std::vector<std::string> paths;
  std::optional<sys::AsUser> owner = become_owner(config);
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
    repeat(daemon, cache->timeout(), [&cache = *cache] { service.sweep(cache); });
    repeat(daemon, kFlushInterval, [&cache = *cache] {
      if (auto flushed = cache.flush(); !flushed) log::warning("{}", flushed.error().text);
    });
  }
  // The next process needs the tables: clients that wait for an answer ask that one.
  daemon.on_retire([&daemon] {
    randomness.save();
    for (const auto& cache : service.caches())
      if (cache) cache->close();
    daemon.leave();
  });
  daemon.serve([idle, limit](service::Client client) {
    auto arrived = client.stream.fill(Deadline::after(limit));
    if (!arrived || !*arrived || !is_frame(client.stream.buffered())) return;
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

#include "master/plan.h"

#include <algorithm>
#include <array>

#include "config/params/system.h"

namespace postrider::master {

namespace {

constexpr std::array<std::string_view, 5> kOneClient{"local", "nbdb_reindexd", "virtual", "pipe", "spawn"};
constexpr std::array<std::string_view, 12> kShared{"anvil",      "flush",           "pickup", "postlogd",
                                                   "postscreen", "proxymap",        "qmgr",   "scache",
                                                   "showq",      "trivial-rewrite", "tlsmgr", "verify"};
// More than any machine can run, for "no limit".
constexpr int kUnlimited = 10'000;

bool contains(const auto& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

Concurrency concurrency_of(std::string_view program) {
  if (contains(kOneClient, program)) return Concurrency::one_client;
  return contains(kShared, program) ? Concurrency::shared : Concurrency::counted;
}

Plan make_plan(const config::Config& config, std::string_view program, int limit, int cores) {
  int sessions = std::max(1, config.get(config::params::process_session_limit));
  int standard = config.get(config::params::default_process_limit);
  int processes = limit > 0 ? limit : limit == 0 || standard == 0 ? kUnlimited : standard;
  Plan out;
  switch (concurrency_of(program)) {
    case Concurrency::one_client:
      out.processes = processes;
      out.clients = processes;
      break;
    case Concurrency::shared:
      out.processes = std::min(processes, cores);
      out.clients_each = sessions;
      out.clients = out.processes * sessions;
      break;
    case Concurrency::counted:
      // A number that the administrator wrote is a promise about concurrency; the default is one about
      // processes.
      out.processes = std::min(processes, cores);
      out.divided = limit > 0;
      out.clients_each = sessions;
      out.clients = limit > 0 ? limit : out.processes * sessions;
      break;
  }
  return out;
}

}  // namespace postrider::master

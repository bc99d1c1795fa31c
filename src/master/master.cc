#include "master/master.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "log/log.h"
#include "service/arguments.h"
#include "sys/file.h"
#include "sys/user.h"

namespace postrider::master {

namespace params = config::params;

namespace {

/// The environment of the children: what import_environment lists, and where the configuration is.
std::vector<std::string> child_environment(const config::Config& config) {
  std::vector<std::string> out;
  std::string names = config.get(params::import_environment);
  for (std::string_view item : split_braced(names, kListSeparators)) {
    if (item.starts_with('{') && item.ends_with('}')) item = trim(item.substr(1, item.size() - 2));
    size_t equals = item.find('=');
    std::string name(item.substr(0, equals));
    if (name == "MAIL_CONFIG") continue;
    if (equals != std::string_view::npos) {
      out.emplace_back(item);
    } else if (const char* value = getenv(name.c_str())) {
      out.push_back(fmt::format("{}={}", name, value));
    }
  }
  bool has_path =
      std::any_of(out.begin(), out.end(), [](const std::string& s) { return s.starts_with("PATH="); });
  if (!has_path) out.emplace_back("PATH=/usr/bin:/bin:/usr/sbin:/sbin");
  out.push_back("MAIL_CONFIG=" + config.directory());
  return out;
}

/// master_service_disable: names such as "inet", "foo.unix", "!bar.inet"; the first that matches decides.
bool is_disabled(const config::Config& config, const config::MasterService& service) {
  std::string list = config.get(params::master_service_disable);
  std::string type(config::service_type_name(service.type));
  std::string whole = service.name + "/" + type, dotted = service.name + "." + type;
  for (std::string_view word : split_any(list, kListSeparators)) {
    bool except = word.starts_with('!');
    if (except) word.remove_prefix(1);
    if (equals_ignore_case(word, type) || equals_ignore_case(word, whole) ||
        equals_ignore_case(word, dotted)) {
      return !except;
    }
  }
  return false;
}

bool same_listeners(const config::MasterService& a, const config::MasterService& b) {
  return a.type == b.type;
}

/// Of entries that would listen at the same place the last one counts.
void drop_duplicates(const config::Config& config, std::vector<config::MasterService>& services) {
  std::set<std::string> seen;
  for (size_t i = services.size(); i-- > 0;) {
    std::string place = place_of(config, services[i]);
    if (seen.insert(place).second) continue;
    log::warning("duplicate master.cf entry for service \"{}\" ({}) -- using the last entry",
                 services[i].name, place);
    services.erase(services.begin() + static_cast<ptrdiff_t>(i));
  }
}

}  // namespace

Master::Master(const Options& options, config::Config config)
    : options_(options), config_(std::move(config)) {}

void Master::prepare_surroundings() {
  surroundings_.config = &config_;
  surroundings_.environment = child_environment(config_);
  surroundings_.daemon_directory = config_.get(params::daemon_directory);
  surroundings_.cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  surroundings_.verbose = options_.verbose;
  surroundings_.rootless = ::geteuid() != 0;
  surroundings_.throttle_time = config_.get(params::service_throttle_time);
  surroundings_.chroot_by_default = config_.compat_level() < config::CompatLevel{1};
  ++surroundings_.generation;
}

Result<std::vector<config::MasterService>> Master::read_services(const config::Config& config) const {
  std::string path = config.directory() + "/master.cf";
  std::string text = TRY(sys::read_file(path, config::kMaxConfigFile));
  config::MasterCf file = TRY(config::parse_master_cf(text, path));
  for (const std::string& warning : file.warnings)
    log::warning("{}", warning);
  std::erase_if(file.services,
                [&](const config::MasterService& service) { return is_disabled(config, service); });
  drop_duplicates(config, file.services);
  return std::move(file.services);
}

Result<void> Master::start() {
  prepare_surroundings();
  return apply(TRY(read_services(config_)));
}

Result<void> Master::apply(const std::vector<config::MasterService>& entries) {
  // First everything that can fail, so that a mistake leaves the running system as it is.
  std::map<Key, std::optional<Listeners>> fresh;
  // Sockets in the queue directory belong to the mail system's owner.
  auto owner = surroundings_.rootless ? Result<std::optional<sys::User>>(std::nullopt)
                                      : sys::find_user(config_.get(params::mail_owner));
  for (const config::MasterService& entry : entries) {
    Key key = place_of(config_, entry);
    auto running = services_.find(key);
    if (running != services_.end() && same_listeners(running->second->entry(), entry)) {
      fresh[key] = std::nullopt;
      continue;
    }
    std::optional<sys::AsUser> identity;
    if (entry.type != config::ServiceType::inet && owner && *owner)
      identity.emplace(TRY(sys::AsUser::enter((*owner)->uid, (*owner)->gid)));
    fresh[key] = TRY(open_listeners(config_, entry));
  }
  for (auto it = services_.begin(); it != services_.end();) {
    if (fresh.contains(it->first)) {
      ++it;
      continue;
    }
    it->second->close();
    if (it->second->processes() > 0) closing_.push_back(std::move(it->second));
    it = services_.erase(it);
  }
  for (const config::MasterService& entry : entries) {
    Key key = place_of(config_, entry);
    std::optional<Listeners>& listeners = fresh[key];
    auto running = services_.find(key);
    if (running != services_.end()) {
      running->second->reload(entry, std::move(listeners));
      continue;
    }
    auto service = std::make_unique<RunningService>(surroundings_, entry, std::move(*listeners));
    service->start();
    services_.emplace(key, std::move(service));
  }
  return {};
}

void Master::reload() {
  config::LoadOptions load;
  load.directory = options_.config_directory;
  load.process_name = "master";
  auto config = config::Config::load(load);
  auto entries = config ? read_services(*config)
                        : Result<std::vector<config::MasterService>>(std::unexpected(config.error()));
  if (!entries) {
    log::error("{}", entries.error().text);
    return log::error("the configuration is not reloaded, the mail system goes on with the old one");
  }
  warn_changes(*config);
  config::Config old = std::exchange(config_, std::move(*config));
  prepare_surroundings();
  log::info("reload -- version {}, configuration {}", config_.get(params::mail_version), config_.directory());
  if (auto applied = apply(*entries); !applied) {
    log::error("{}", applied.error().text);
    log::error("the configuration is not reloaded, the mail system goes on with the old one");
    config_ = std::move(old);
    prepare_surroundings();
  }
}

/// What only a stop and a start can change.
void Master::warn_changes(const config::Config& fresh) const {
  for (const auto& param : {params::inet_protocols, params::queue_directory}) {
    std::string before = config_.get(param), after = fresh.get(param);
    if (before == after) continue;
    log::warning("ignoring {} parameter value change", param.name());
    log::warning("old value: \"{}\", new value: \"{}\"", before, after);
    log::warning("to change {}, stop and start Postfix", param.name());
  }
}

void Master::reap_children() {
  for (;;) {
    int status = 0;
    pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) break;
    bool known = false;
    for (auto& [key, service] : services_)
      known = known || service->reap(pid, status);
    for (auto& service : closing_)
      known = known || service->reap(pid, status);
    if (!known && !options_.init) log::warning("unknown child pid {}", pid);
  }
  std::erase_if(closing_, [](const auto& service) { return service->processes() == 0; });
}

void Master::terminate(int signal_number) {
  log::info("terminating on signal {}", signal_number);
  log::flush();
  for (auto& [key, service] : services_)
    service->kill_all(SIGTERM);
  for (auto& service : closing_)
    service->kill_all(SIGTERM);
  // Children of children (commands of local and pipe) are in the process group, if it is ours alone.
  if (!options_.init && ::getpgrp() == ::getpid()) {
    ::signal(SIGTERM, SIG_IGN);
    ::kill(0, SIGTERM);
  }
  // The lock files must not be free before the children are gone: a new master could start beside them.
  Clock::time_point limit = Clock::now() + seconds(5);
  while (::waitpid(-1, nullptr, WNOHANG) >= 0 && Clock::now() < limit) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  ::_exit(0);
}

}  // namespace postrider::master

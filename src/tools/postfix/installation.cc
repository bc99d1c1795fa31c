#include "tools/postfix/installation.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "config/edit.h"
#include "config/params/instance.h"
#include "config/startup.h"
#include "config/value_text.h"
#include "log/log.h"
#include "sys/file.h"
#include "tools/postfix/queue_tree.h"
#include "tools/postfix/upgrade.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

/// What the commands may change in main.cf, and managers of instances are told.
constexpr std::string_view kSettings[] = {
    "command_directory", "config_directory", "daemon_directory", "data_directory",
    "html_directory",    "mail_owner",       "mailq_path",       "manpage_directory",
    "meta_directory",    "newaliases_path",  "queue_directory",  "readme_directory",
    "sample_directory",  "sendmail_path",    "setgid_group",     "shlib_directory",
};

Result<std::vector<config::MainCfChange>> parse_settings(const std::vector<std::string>& arguments) {
  std::vector<config::MainCfChange> out;
  for (const std::string& argument : arguments) {
    auto assignment = TRY(config::parse_assignment(argument));
    if (std::ranges::find(kSettings, assignment.name) == std::end(kSettings)) {
      return fail(ErrorKind::invalid, fmt::format("{} is no setting of an installation", assignment.name));
    }
    out.push_back({assignment.name, assignment.value});
  }
  return out;
}

/// Checks the settings before they are written, so that a mistake leaves a working main.cf.
Result<config::Config> store_settings(const config::Config& config,
                                      const std::vector<std::string>& arguments) {
  auto changes = TRY(parse_settings(arguments));
  if (changes.empty()) return config;
  config::LoadOptions load{.directory = config.directory(), .process_name = "postfix"};
  for (const config::MainCfChange& change : changes)
    load.overrides.push_back({change.name, change.value});
  config::Config checked = TRY(config::Config::load(load));
  (void)TRY(identities_of(checked));
  std::string path = config.main_cf_path();
  std::vector<std::string> warnings;
  TRY(config::edit_file(
      path,
      [&](std::string_view text) {
        return config::edit_main_cf(text, path, config::MainCfAction::set, changes, warnings);
      }));
  for (const std::string& warning : warnings)
    log::warning("{}", warning);
  load.overrides.clear();
  return config::Config::load(load);
}

// --- set-permissions ---

constexpr mode_t kDirectoryMode = 0755, kProgramMode = 0755, kFileMode = 0644, kSetgidMode = 02755;

bool runs_set_gid(std::string_view program) {
  return program == "postdrop" || program == "postqueue" || program == "postlog";
}

/// The programs in a directory, as far as they are ours.
Result<void> programs(const std::string& directory, const Identities& ids,
                      const std::vector<std::string_view>& names) {
  for (std::string_view name : names) {
    std::string path = fmt::format("{}/{}", directory, name);
    auto status = sys::lstat_file(path);
    if (!status || !S_ISREG(status->st_mode)) continue;
    bool setgid = runs_set_gid(name) && !ids.rootless;
    TRY(set_access(path, 0, setgid ? ids.setgid : 0, setgid ? kSetgidMode : kProgramMode, ids));
  }
  return {};
}

Result<void> queue_tree(const config::Config& config, const Identities& ids) {
  TRY(create_missing(config, ids));
  std::string queue = config.get(params::queue_directory);
  TRY(set_access(queue, 0, 0, kDirectoryMode, ids));
  for (const QueueDirectory& directory : queue_directories()) {
    TRY(set_access(queue + "/" + directory.name, ids.uid_of(directory.owner), ids.gid_of(directory.group),
                   directory.mode, ids));
  }
  std::string data = config.get(params::data_directory);
  TRY(set_access(data, ids.owner, 0, 0700, ids));
  auto names = TRY(sys::list_directory(data));
  for (const std::string& name : names) {
    std::string path = data + "/" + name;
    auto status = sys::lstat_file(path);
    if (!status || !S_ISREG(status->st_mode) || ids.rootless) continue;
    TRY(sys::change_owner(path, ids.owner, status->st_gid));
  }
  return {};
}

Result<void> set_all(const config::Config& config, const Identities& ids) {
  TRY(queue_tree(config, ids));
  TRY(set_access(config.directory(), 0, 0, kDirectoryMode, ids));
  for (const char* name : {"main.cf", "master.cf"}) {
    std::string path = config.directory() + "/" + name;
    if (sys::exists(path)) TRY(set_access(path, 0, 0, kFileMode, ids));
  }
  // Programs that many instances share are not a user's to change.
  if (ids.rootless) return {};
  TRY(programs(config.get(params::command_directory), ids,
               {"postalias", "postcat", "postconf", "postdrop", "postfix", "postkick", "postlock", "postlog",
                "postmap", "postmulti", "postqueue", "postsuper", "posttls-finger", "qshape", "sendmail"}));
  std::string daemons = config.get(params::daemon_directory);
  std::vector<std::string> names = TRY(sys::list_directory(daemons));
  return programs(daemons, ids, {names.begin(), names.end()});
}

int outcome(const Result<void>& done) {
  if (done) return 0;
  log::write(log::Severity::fatal, done.error().text);
  return 1;
}

}  // namespace

int set_permissions(const config::Config& config, const std::vector<std::string>& arguments) {
  return outcome([&]() -> Result<void> {
    config::Config changed = TRY(store_settings(config, arguments));
    return set_all(changed, TRY(identities_of(changed)));
  }());
}

int upgrade_configuration(const config::Config& config, const std::vector<std::string>& arguments) {
  return outcome([&]() -> Result<void> { return upgrade_files(TRY(store_settings(config, arguments))); }());
}

std::vector<std::pair<std::string, std::string>> installation_settings(const config::Config& config) {
  std::vector<std::pair<std::string, std::string>> out;
  for (std::string_view name : kSettings) {
    if (auto value = config.value(name); value && *value) out.emplace_back(name, std::move(**value));
  }
  return out;
}

}  // namespace postrider::postfix

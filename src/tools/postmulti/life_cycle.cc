#include "tools/postmulti/life_cycle.h"

#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "config/params/tools.h"
#include "log/log.h"
#include "service/lock_file.h"
#include "sys/file.h"
#include "sys/process.h"

namespace postrider::postmulti {

namespace params = config::params;
using config::MainCfAction;
using config::MainCfChange;

namespace {

/// What a new instance has in common with the primary one where that sets it.
constexpr std::string_view kShared[] = {
    "command_directory", "daemon_directory", "meta_directory",  "mail_owner",     "setgid_group",
    "sendmail_path",     "mailq_path",       "newaliases_path", "html_directory", "manpage_directory",
    "sample_directory",  "readme_directory", "shlib_directory",
};
constexpr const char* kQueueDirectories[] = {"active",  "bounce", "corrupt",  "defer",    "deferred",
                                             "flush",   "hold",   "incoming", "maildrop", "pid",
                                             "private", "public", "saved",    "trace"};
constexpr mode_t kOpenDirectory = 0755, kPrivateDirectory = 0700, kFile = 0644;

Result<void> change_main_cf(const std::string& directory, MainCfAction action,
                            const std::vector<MainCfChange>& changes) {
  if (changes.empty()) return {};
  std::string path = directory + "/main.cf";
  return config::edit_file(path, [&](std::string_view content) {
    std::vector<std::string> warnings;
    return config::edit_main_cf(content, path, action, changes, warnings);
  });
}

Result<void> set_in(const std::string& directory, const std::vector<MainCfChange>& changes) {
  return change_main_cf(directory, MainCfAction::set, changes);
}

}  // namespace

void LifeCycle::log_as_script() const {
  log::Settings settings = log::settings();
  settings.ident = fmt::format("{}/postmulti-script", primary_.get(params::syslog_name));
  settings.stderr_name = settings.ident;
  log::open(std::move(settings));
}

int LifeCycle::failed(const Error& error) const {
  log_as_script();
  log::write(log::Severity::fatal, error.text);
  return 1;
}

Result<void> LifeCycle::require_init() const {
  constexpr std::string_view kAdvice = "run 'postmulti -e init' first.";
  if (primary_.get(params::multi_instance_wrapper).empty())
    return fail(ErrorKind::invalid, fmt::format("multi_instance_wrapper is empty, {}", kAdvice));
  if (!primary_.get(params::multi_instance_enable))
    return fail(ErrorKind::invalid, fmt::format("multi_instance_enable!=yes, {}", kAdvice));
  return {};
}

Result<void> LifeCycle::require_stopped() const {
  auto config =
      TRY(config::Config::load({.directory = instance_.config_directory, .process_name = "postfix"}));
  if (!TRY(service::running_master(config))) return {};
  return fail(ErrorKind::denied, fmt::format("Instance '{}' is not stopped", instance_.config_directory));
}

Result<void> LifeCycle::init() {
  return set_in(primary_.directory(), {{"multi_instance_wrapper", "${command_directory}/postmulti -p --"},
                                       {"multi_instance_enable", "yes"}});
}

std::vector<MainCfChange> LifeCycle::shared_settings() const {
  std::vector<MainCfChange> out;
  for (std::string_view name : kShared) {
    std::string value = primary_.set_text(name);
    if (!value.empty()) out.push_back({std::string(name), value});
  }
  return out;
}

/// The files are complete before they get their names, master.cf the last: an instance that has it is whole.
Result<void> LifeCycle::make_files() {
  std::string meta = primary_.get(params::meta_directory);
  for (std::string_view name : {"main.cf", "master.cf"}) {
    std::string prototype = fmt::format("{}/{}.proto", meta, name);
    if (!sys::exists(prototype)) {
      std::string_view what = name.substr(0, name.find('.'));
      return fail(ErrorKind::not_found, fmt::format("Missing {}.cf prototype: {}", what, prototype));
    }
  }
  const std::string& directory = instance_.config_directory;
  TRY(sys::make_directories(directory, kOpenDirectory));
  TRY(sys::make_directories(instance_.queue_directory, kOpenDirectory));
  if (!sys::exists(instance_.data_directory)) {
    TRY(sys::make_directories(sys::directory_of(instance_.data_directory), kOpenDirectory));
    TRY(sys::make_directory(instance_.data_directory, kPrivateDirectory));
  }
  std::string main_cf = TRY(sys::read_file(meta + "/main.cf.proto", config::kMaxConfigFile));
  std::string master_cf = TRY(sys::read_file(meta + "/master.cf.proto", config::kMaxConfigFile));
  std::vector<std::string> warnings;
  std::string path = directory + "/main.cf";
  auto shared = shared_settings();
  std::vector<MainCfChange> own;
  for (std::string_view name : kShared)
    if (std::ranges::find(shared, name, &MainCfChange::name) == shared.end())
      own.push_back({std::string(name), ""});
  main_cf = TRY(config::edit_main_cf(main_cf, path, MainCfAction::comment_out, own, warnings));
  // A new instance waits until it is told what to do: it takes no mail from the network nor from users.
  std::vector<MainCfChange> changes = {{"queue_directory", instance_.queue_directory},
                                       {"data_directory", instance_.data_directory},
                                       {"authorized_submit_users", ""},
                                       {"master_service_disable", "inet"}};
  std::ranges::move(shared, std::back_inserter(changes));
  main_cf = TRY(config::edit_main_cf(main_cf, path, MainCfAction::set, changes, warnings));
  TRY(sys::replace_file(path, main_cf, kFile));
  return sys::replace_file(directory + "/master.cf", master_cf, kFile);
}

Result<void> LifeCycle::set_permissions() const {
  std::vector<std::string> argv = {primary_.get(params::command_directory) + "/postfix", "-c",
                                   instance_.config_directory, "set-permissions"};
  log::flush();
  pid_t pid = TRY(
      sys::spawn({.argv = argv, .environment = sys::environment(), .descriptors = {{0, 0}, {1, 1}, {2, 2}}}));
  int status = TRY(sys::wait_for(pid));
  if (status == 0) return {};
  return fail(ErrorKind::invalid,
              fmt::format("cannot set the permissions of instance '{}'", instance_.config_directory));
}

Result<void> LifeCycle::update_lists(const std::vector<std::string>& directories, bool alternate) {
  std::string listed = primary_.set_text(params::alternate_config_directories.name());
  std::vector<std::string> others;
  bool found = false;
  for (std::string_view word : split_any(listed, kListSeparators)) {
    if (word == instance_.config_directory) {
      found = true;
    } else {
      others.emplace_back(word);
    }
  }
  std::vector<MainCfChange> changes = {
      {std::string(params::multi_instance_directories.name()), join(directories, " ")}};
  if (alternate != found) {
    if (alternate) others.push_back(instance_.config_directory);
    changes.push_back({std::string(params::alternate_config_directories.name()), join(others, " ")});
  }
  return set_in(primary_.directory(), changes);
}

Result<void> LifeCycle::add(bool create, const Names& names, const std::vector<std::string>& directories) {
  TRY(require_init());
  const std::string& directory = instance_.config_directory;
  bool whole = sys::exists(directory + "/main.cf") && sys::exists(directory + "/master.cf");
  if (!whole && !create) {
    std::string_view missing = sys::exists(directory + "/main.cf") ? "master.cf" : "main.cf";
    return fail(ErrorKind::not_found, fmt::format("'{}' lacks a {} file", directory, missing));
  }
  if (!whole) TRY(make_files());
  TRY(assign(names));
  // From here on it is an instance of the primary one, and shares its programs.
  TRY(update_lists(directories, /*alternate=*/false));
  return set_permissions();
}

Result<void> LifeCycle::deport(const std::vector<std::string>& directories) {
  TRY(require_init());
  // Users' programs that know the directory go on working.
  bool exists = sys::exists(instance_.config_directory + "/main.cf");
  if (exists) TRY(require_stopped());
  return update_lists(directories, /*alternate=*/exists);
}

void LifeCycle::remove_directory(const std::string& path) const {
  if (sys::remove_directory(path)) return;
  log::warning("{}: please verify contents and remove by hand", path);
}

Result<void> LifeCycle::destroy(const std::vector<std::string>& directories) {
  TRY(require_init());
  TRY(require_stopped());
  TRY(update_lists(directories, /*alternate=*/false));
  log_as_script();
  for (const char* name : kQueueDirectories)
    remove_directory(fmt::format("{}/{}", instance_.queue_directory, name));
  remove_directory(instance_.data_directory);
  remove_directory(instance_.queue_directory);
  for (const char* name : {"/master.cf", "/main.cf"}) {
    auto removed = sys::unlink_file(instance_.config_directory + name);
    if (!removed && removed.error().code != ENOENT) log::warning("{}", removed.error().text);
  }
  remove_directory(instance_.config_directory);
  return {};
}

Result<void> LifeCycle::enable(bool yes) {
  TRY(require_init());
  return set_in(instance_.config_directory, {{"multi_instance_enable", yes ? "yes" : "no"}});
}

Result<void> LifeCycle::assign(const Names& names) {
  TRY(require_init());
  std::vector<MainCfChange> changes;
  if (!names.name.empty()) changes.push_back({"multi_instance_name", names.name == "-" ? "" : names.name});
  if (!names.group.empty())
    changes.push_back({"multi_instance_group", names.group == "-" ? "" : names.group});
  return set_in(instance_.config_directory, changes);
}

}  // namespace postrider::postmulti

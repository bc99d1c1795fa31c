#include "config/config.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "base/text.h"
#include "config/macro.h"
#include "config/main_cf.h"
#include "config/origin_file.h"
#include "config/own_addresses.h"
#include "config/params/instance.h"
#include "config/params/tools.h"
#include "config/paths.h"
#include "config/table.h"
#include "sys/file.h"
#include "sys/process.h"

namespace postrider::config {

namespace {

struct Setting {
  std::string value;
  int line = 0;  ///< In main.cf; 0: an override.
};

std::string main_cf_of(std::string_view directory) {
  return fmt::format("{}/main.cf", directory);
}

}  // namespace

struct Config::Content {
  LoadOptions options;
  std::map<std::string, Setting, std::less<>> settings;
  std::vector<std::string> warnings;
  std::string host_name, domain_name;          // Defaults of myhostname and mydomain.
  Result<std::string> origin = std::string();  // Of the file that myorigin names; empty where it names none.
  // The default of mynetworks asks the system for its interfaces: only when somebody wants to know.
  mutable std::once_flag networks_once;
  mutable Result<std::string> networks = std::string();
};

namespace {

/// Reads main.cf of `directory` into `settings`.
Result<void> read_main_cf(const std::string& directory, std::map<std::string, Setting, std::less<>>& settings,
                          std::vector<std::string>& warnings) {
  std::string path = main_cf_of(directory);
  std::string text = TRY(sys::read_file(path, kMaxConfigFile));
  MainCf file = TRY(parse_main_cf(text, path));
  // The directory is known before its main.cf is read.
  auto other = std::ranges::find(file.entries, "config_directory", &MainCfEntry::name);
  if (other != file.entries.end() && other->value != directory)
    warnings.push_back(fmt::format("{}, line {}: overriding earlier entry: {}={}", path, other->line,
                                   other->name, directory));
  for (MainCfEntry& entry : file.entries)
    settings.insert_or_assign(std::move(entry.name), Setting{std::move(entry.value), entry.line});
  std::ranges::move(file.warnings, std::back_inserter(warnings));
  return {};
}

/// A program with borrowed rights reads only directories that the built-in main.cf lists.
Result<void> check_listed(const std::string& directory) {
  if (directory == paths::config_directory) return {};
  Config trusted = TRY(Config::load({.directory = paths::config_directory}));
  for (const auto& param : {params::alternate_config_directories, params::multi_instance_directories}) {
    std::string list = trusted.get(param);
    for (std::string_view listed : split_any(list, kListSeparators))
      if (listed == directory) return {};
  }
  return fail(ErrorKind::denied,
              fmt::format("unauthorized configuration directory name: {}; specify "
                          "\"alternate_config_directories = {}\" or \"multi_instance_directories = "
                          "{}\" in {}",
                          directory, directory, directory, trusted.main_cf_path()));
}

std::string choose_directory(const LoadOptions& options) {
  if (!options.directory.empty()) return options.directory;
  const char* environment = std::getenv("MAIL_CONFIG");
  return environment && *environment ? environment : paths::config_directory;
}

}  // namespace

Result<Config> Config::load(const LoadOptions& options) {
  auto content = std::make_shared<Content>();
  content->options = options;
  LoadOptions& mine = content->options;
  mine.directory = choose_directory(options);
  if (mine.process_id == 0) mine.process_id = sys::process_id();
  if (mine.only_listed_directories) TRY(check_listed(mine.directory));
  if (!mine.defaults_only) TRY(read_main_cf(mine.directory, content->settings, content->warnings));
  for (const Assignment& override_ : mine.overrides)
    content->settings.insert_or_assign(override_.name, Setting{override_.value, 0});

  Config config(content);
  constexpr std::string_view kLocalDomain = "localdomain";
  std::string host_name = sys::host_name();
  if (host_name.find('.') == std::string::npos) {
    // $myhostname in mydomain is nothing yet.
    auto domain = config.is_set("mydomain") ? TRY(config.value("mydomain")) : std::nullopt;
    host_name += '.' + domain.value_or(std::string(kLocalDomain));
  }
  content->host_name = std::move(host_name);
  // A broken myhostname is reported where it is read; here it only lends its domain.
  std::string host = config.value("myhostname").value_or(std::nullopt).value_or("");
  size_t dot = host.find('.');
  std::string origin = config.value("myorigin").value_or(std::nullopt).value_or("");
  if (origin.starts_with('/')) content->origin = read_origin_file(origin);
  content->domain_name = dot == std::string::npos ? kLocalDomain : std::string_view(host).substr(dot + 1);
  return config;
}

bool Config::is_set(std::string_view name) const {
  return content_->settings.contains(name);
}

bool is_read_only(std::string_view name) {
  return name == "process_name" || name == "process_id" || name == "service_name";
}

std::optional<std::string> Config::text(std::string_view name) const {
  if (name == "process_name") return content_->options.process_name;
  if (name == "service_name") return content_->options.service_name;
  if (name == "process_id") return std::to_string(content_->options.process_id);
  if (name == kOriginOfFile) {
    const Result<std::string>& origin = content_->origin;
    if (!origin)
      throw ConfigError(origin.error().text, source("myorigin"),
                        "write the name of the mail domain into the file, or give it instead of the file");
    return origin->empty() ? std::nullopt : std::optional(*origin);
  }
  auto setting = content_->settings.find(name);
  if (setting != content_->settings.end()) return setting->second.value;
  // The directory that was asked for counts, not the built-in one.
  if (name == "config_directory") return directory();
  const ParamInfo* info = find_param(name);
  if (!info || info->default_kind == ParamDefault::none) return std::nullopt;
  if (info->default_kind == ParamDefault::text) return std::string(info->fallback);
  if (name == "myhostname") return content_->host_name;
  if (name == "mydomain") return content_->domain_name;
  if (name == "mynetworks") return own_networks();
  return std::nullopt;
}

/// The default of mynetworks. Nothing when it is asked for while it is being found out (inet_interfaces =
/// $mynetworks).
std::optional<std::string> Config::own_networks() const {
  thread_local bool busy = false;
  if (busy) return std::nullopt;
  busy = true;
  std::call_once(content_->networks_once, [this] {
    try {
      auto addresses = own_addresses(*this);
      content_->networks = addresses ? networks_of(*addresses, get(params::mynetworks_style))
                                     : std::unexpected(std::move(addresses).error());
    } catch (const ConfigError& error) {
      content_->networks = fail(ErrorKind::invalid, error.what());
    }
  });
  busy = false;
  const Result<std::string>& networks = content_->networks;
  if (!networks)
    throw ConfigError(networks.error().text, source("inet_interfaces"),
                      "correct inet_interfaces, or set mynetworks");
  return *networks;
}

Result<std::string> Config::expand(std::string_view text) const {
  MacroLookup lookup = [this](std::string_view name) { return this->text(name); };
  return TRY(expand_macros(text, lookup, {.recursive = true})).text;
}

Result<std::optional<std::string>> Config::value(std::string_view name) const {
  auto unexpanded = text(name);
  if (!unexpanded) return std::nullopt;
  return TRY(expand(*unexpanded));
}

std::string Config::set_text(std::string_view name) const {
  auto setting = content_->settings.find(name);
  return setting == content_->settings.end() ? std::string() : setting->second.value;
}

Source Config::source(std::string_view name) const {
  auto setting = content_->settings.find(name);
  if (setting != content_->settings.end()) {
    int line = setting->second.line;
    if (line > 0) return {Source::Origin::main_cf, main_cf_path(), line};
    return {Source::Origin::override_, content_->options.service_name, 0};
  }
  const ParamInfo* info = find_param(name);
  bool computed = info && info->default_kind == ParamDefault::computed;
  return {computed ? Source::Origin::computed : Source::Origin::builtin, "", 0};
}

std::string Source::text() const {
  switch (origin) {
    case Origin::builtin:
      return "built-in default";
    case Origin::computed:
      return "computed default";
    case Origin::main_cf:
      return fmt::format("{} line {}", file, line);
    case Origin::override_:
      return file.empty() ? std::string("-o option") : fmt::format("master.cf override of service {}", file);
  }
  return "";
}

std::string ConfigError::hint() const {
  return fmt::format("set at: {}; {}", source_.text(), remedy_);
}

const std::vector<std::string>& Config::warnings() const {
  return content_->warnings;
}
const std::string& Config::directory() const {
  return content_->options.directory;
}
std::string Config::main_cf_path() const {
  return main_cf_of(directory());
}
const std::string& Config::process_name() const {
  return content_->options.process_name;
}
const std::string& Config::service_name() const {
  return content_->options.service_name;
}

std::vector<std::string> Config::set_names() const {
  std::vector<std::string> names;
  for (const auto& [name, setting] : content_->settings)
    names.push_back(name);
  return names;
}

std::vector<std::string> Config::not_yet_in_force() const {
  std::vector<std::string> names;
  for (const auto& [name, setting] : content_->settings) {
    const ParamInfo* info = find_param(name);
    if (info && info->state == ParamState::not_yet) names.push_back(name);
  }
  return names;
}

CompatLevel Config::compat_level() const {
  std::string text = get(params::compatibility_level);
  if (auto level = CompatLevel::parse(text)) return *level;
  throw ConfigError(malformed_compat_level(text), source("compatibility_level"),
                    fmt::format("give a release number such as {}", kLatestCompatLevelText));
}

std::optional<std::string> Config::compat_default_used(std::string_view name) const {
  const ParamInfo* info = find_param(name);
  if (!info || is_set(name) || info->fallback.find("$compatibility_level} <level") == std::string_view::npos)
    return std::nullopt;
  // The default chooses between two texts; other names in them stay as they are.
  auto at_level = [&](std::string_view level) {
    MacroLookup lookup = [level](std::string_view asked) -> std::optional<std::string> {
      return asked == "compatibility_level" ? std::string(level) : "$" + std::string(asked);
    };
    return expand_macros(info->fallback, lookup).value_or(Expansion()).text;
  };
  std::string now = at_level(get(params::compatibility_level));
  if (now == at_level(kLatestCompatLevelText)) return std::nullopt;
  return fmt::format("using backwards-compatible default setting {}={}", name, now.empty() ? "(empty)" : now);
}

}  // namespace postrider::config

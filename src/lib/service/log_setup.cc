#include "service/log_setup.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8_text.h"
#include "config/params/instance.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/startup.h"
#include "log/log.h"

namespace postrider::service {

namespace params = config::params;

void open_log(const config::Config& config, std::string_view program, const LogChoice& choice) {
  // Defaults depend on it.
  (void)config.compat_level();
  use_utf8_text(config.get(params::smtputf8_enable));
  log::Settings settings;
  settings.ident = fmt::format("{}/{}", config.get(params::syslog_name), program);
  settings.host_name = config.get(params::myhostname);
  settings.to_stderr = choice.to_stderr;
  settings.verbose = choice.verbose;
  settings.connect_late = choice.connect_late;
  auto facility = log::facility_number(config.get(params::syslog_facility));
  if (!facility)
    throw config::ConfigError(facility.error().text, config.source("syslog_facility"),
                              "use a name such as mail or local3");
  settings.facility = *facility;
  if (choice.to_log) {
    std::string file = config.get(params::maillog_file);
    if (file.empty()) {
      settings.to_syslog = true;
    } else {
      settings.postlog_path = fmt::format("{}/public/{}", config.get(params::queue_directory),
                                          config.get(params::postlog_service_name));
      // Without postlogd a file can be written to; the terminal or pipe of whoever started the mail system
      // cannot.
      if (!file.starts_with("/dev/")) settings.fallback_file = file;
      settings.fallback_mode =
          static_cast<unsigned>(std::stoul(config.get(params::maillog_file_permissions), nullptr, 8));
    }
    settings.json_path = config.get(params::json_log_file);
  }
  log::open(std::move(settings));
}

namespace {

void warn_not_in_force(const config::Config& config, bool overrides) {
  for (const std::string& name : config.not_yet_in_force()) {
    config::Source source = config.source(name);
    if ((source.origin == config::Source::Origin::override_) != overrides) continue;
    log::warning("{}: parameter {} is not in force yet in this release and has no effect", source.text(),
                 name);
  }
}

void check_maillog_file(const config::Config& config) {
  std::string file = config.get(params::maillog_file);
  if (file.empty()) return;
  std::string prefixes = config.get(params::maillog_file_prefixes);
  for (std::string_view prefix : split_any(prefixes, kListSeparators)) {
    bool whole = file.size() == prefix.size() || prefix.ends_with('/') ||
                 file[std::min(prefix.size(), file.size() - 1)] == '/';
    if (file.starts_with(prefix) && whole) return;
  }
  throw config::ConfigError(fmt::format("{} value '{}' does not match any prefix in {}", "maillog_file", file,
                                        "maillog_file_prefixes"),
                            config.source("maillog_file"),
                            "choose a file below one of the prefixes, or add its directory to them");
}

}  // namespace

void log_config_warnings(const config::Config& config) {
  for (const std::string& warning : config.warnings())
    log::warning("{}", warning);
  warn_not_in_force(config, /*overrides=*/false);
}

void log_override_warnings(const config::Config& config) {
  warn_not_in_force(config, /*overrides=*/true);
}

void fatal_config(const config::ConfigError& error) {
  if (!error.warning.empty()) log::warning("{}", error.warning);
  if (std::string hint = error.hint(); !hint.empty()) log::error("{}", hint);
  log::fatal("{}", error.what());
}

void check_config(const config::Config& config) {
  config::check_common_settings(config);
  check_maillog_file(config);
}

}  // namespace postrider::service

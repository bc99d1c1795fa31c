// postfix - starts, stops and looks after the mail system.
//
// For the super-user; without root, for whoever owns the queue.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "config/config.h"
#include "config/params/instance.h"
#include "config/table.h"
#include "log/log.h"
#include "service/log_setup.h"
#include "sys/file.h"
#include "sys/process.h"
#include "tools/lint/command.h"
#include "tools/postfix/collate.h"
#include "tools/postfix/control.h"
#include "tools/postfix/installation.h"

namespace postrider::postfix {
namespace {

namespace params = config::params;

struct CommandLine {
  std::string config_directory;  ///< -c
  bool debug = false;            ///< -D
  int verbose = 0;
  std::vector<std::string> words;  ///< The command and what follows it.
};

[[noreturn]] void usage(const char* program) {
  log::fatal("usage: {} [-c config_dir] [-Dv] command", program);
}

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  for (int option; (option = getopt(argc, argv, "+c:Dv")) != -1;) {
    if (option == 'c') {
      if (*optarg != '/') log::fatal("-c requires absolute pathname");
      line.config_directory = optarg;
    } else if (option == 'D') {
      line.debug = true;
    } else if (option == 'v') {
      ++line.verbose;
    } else {
      usage(argv[0]);
    }
  }
  line.words.assign(argv + optind, argv + argc);
  return line;
}

/// A mail system that runs as root, or is another user's, is none of the caller's business.
void check_user(const config::Config& config) {
  if (geteuid() == 0) return;
  auto queue = sys::stat_file(config.get(params::queue_directory));
  if (!queue || queue->st_uid == geteuid()) return;
  log::error("to submit mail, use the Postfix sendmail command");
  log::fatal("the postfix command is reserved for the superuser");
}

/// For the programs that are started from here.
void export_environment(const CommandLine& line, const config::Config& config) {
  sys::set_environment_entry("MAIL_CONFIG", config.directory());
  if (line.verbose > 0) sys::set_environment_entry("MAIL_VERBOSE", "");
  if (line.debug) sys::set_environment_entry("MAIL_DEBUG", "");
}

/// Whether a parameter that this release acts on has an old default because of compatibility_level.
bool uses_old_defaults(const config::Config& config) {
  if (config.compat_level() >= config::kLatestCompatLevel) return false;
  const auto& params = config::all_params();
  return std::any_of(params.begin(), params.end(), [&](const config::ParamInfo* param) {
    return param->state == config::ParamState::in_force && config.compat_default_used(param->name);
  });
}

/// Nobody is reminded of defaults that make no difference.
void remind_of_compatibility(const config::Config& config) {
  if (!uses_old_defaults(config)) return;
  log::info("{} is using backwards-compatible default settings", config.get(params::mail_name));
  log::info("See http://www.postfix.org/COMPATIBILITY_README.html for details");
  log::info(
      "To disable backwards compatibility use \"postconf compatibility_level={}\" and \"postfix reload\"",
      config::kLatestCompatLevelText);
}

/// Becomes multi_instance_wrapper, which runs the command for each instance.
[[noreturn]] void manage_instances(const config::Config& config, const CommandLine& line) {
  std::string wrapper = config.get(params::multi_instance_wrapper);
  if (wrapper.empty()) log::fatal("multi-instance support is requested, but multi_instance_wrapper is empty");
  for (const auto& [name, value] : installation_settings(config))
    sys::set_environment_entry(name, value);
  std::vector<std::string> argv;
  for (std::string_view word : split_any(wrapper, " \t"))
    argv.emplace_back(word);
  argv.insert(argv.end(), line.words.begin(), line.words.end());
  log::flush();
  log::fatal("{}", sys::replace_process(argv).text);
}

/// Lines about the work itself go to the log, too, and carry the name that they always had there.
void log_as_script(const config::Config& config, std::string_view command, int verbose) {
  service::open_log(config, command == "tls" ? "postfix-tls-script" : "postfix-script",
                    {.to_stderr = true, .verbose = verbose});
  log::Settings settings = log::settings();
  settings.stderr_name = settings.ident;
  log::open(std::move(settings));
}

/// As a mistake in these would only show much later.
void check_directories(const config::Config& config) {
  for (config::Param<std::string> param : {params::daemon_directory, params::queue_directory}) {
    std::string path = config.get(param);
    auto status = sys::stat_file(path);
    // A queue directory that is missing is made where it should be, but not the place itself: perhaps a disk
    // is not mounted.
    bool can_be_made = param.info == params::queue_directory.info && sys::exists(sys::directory_of(path));
    if (!status && !can_be_made) log::fatal("chdir({}): {}", path, std::strerror(status.error().code));
  }
}

/// Of the daemons only the one that reads the parameter would find it, and end, again and again.
void check_macros(const config::Config& config) {
  for (const std::string& name : config.set_names()) {
    if (config::find_param(name) == nullptr) continue;
    auto value = config.value(name);
    if (value) continue;
    log::warning("{}", value.error().text);
    log::fatal("{}: parameter {}: macro processing error", config.source(name).text(), name);
  }
}

int run(int argc, char** argv) {
  CommandLine line = parse(argc, argv);
  // These need no configuration: logs are read wherever they come from, and...
  if (!line.words.empty() && line.words.front() == "collate")
    return collate_command({line.words.begin() + 1, line.words.end()});
  // ...this looks at configurations that do not load, and at those of others.
  if (!line.words.empty() && line.words.front() == "lint")
    return lint::lint_command(line.config_directory, {line.words.begin() + 1, line.words.end()});
  bool one_instance = !line.config_directory.empty() || std::getenv("MAIL_CONFIG") != nullptr;
  auto config = config::Config::load({.directory = line.config_directory, .process_name = "postfix"});
  if (!config) log::fatal("{}", config.error().text);
  check_user(*config);
  service::open_log(*config, "postfix", {.to_stderr = true, .to_log = false, .verbose = line.verbose});
  for (const std::string& warning : config->warnings())
    log::warning("{}", warning);
  service::check_config(*config);
  check_directories(*config);
  auto ids = identities_of(*config);
  if (!ids) log::fatal("{}", ids.error().text);
  remind_of_compatibility(*config);
  export_environment(line, *config);
  if (!one_instance && !config->get(params::multi_instance_directories).empty())
    manage_instances(*config, line);
  std::string command = line.words.empty() ? "" : line.words.front();
  if (!line.words.empty()) line.words.erase(line.words.begin());
  if (command == "start" || command == "start-fg" || command == "check" || command == "reload")
    check_macros(*config);
  log_as_script(*config, command, line.verbose);
  return Control(std::move(*config), std::move(*ids)).run(command, line.words);
}

}  // namespace
}  // namespace postrider::postfix

int main(int argc, char** argv) {
  using namespace postrider;
  sys::open_standard_descriptors();
  log::open({.ident = "postfix", .to_stderr = true});
  try {
    int status = postfix::run(argc, argv);
    log::flush();
    std::exit(status);
  } catch (const config::ConfigError& error) {
    service::fatal_config(error);
  }
}

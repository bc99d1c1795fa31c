#include "tools/postmap/run.h"

#include <cstdlib>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "log/log.h"
#include "service/environment.h"
#include "service/log_setup.h"
#include "sys/process.h"
#include "tools/postmap/job.h"

namespace postrider::postmap {

namespace params = config::params;

namespace {

const char* name_of(Command command) {
  return command == Command::postmap ? "postmap" : "postalias";
}

/// Reads main.cf and opens the log as it says.
config::Config load_config(const char* program, const std::string& directory, int verbose) {
  config::LoadOptions load{.directory = directory, .process_name = program};
  auto loaded = config::Config::load(load);
  if (!loaded) log::fatal("{}", loaded.error().text);
  service::open_log(*loaded, program, {.to_stderr = true, .verbose = verbose});
  for (const std::string& warning : loaded->warnings())
    log::warning("{}", warning);
  service::check_config(*loaded);
  service::set_named_environment(*loaded);
  return std::move(*loaded);
}

Settings read_settings(const config::Config& config) {
  Settings out;
  out.default_type = config.get(params::default_database_type);
  out.tables = clients::table_options(config);
  out.host_name = config.get(params::myhostname);
  return out;
}

Result<int> dispatch(const Options& options, const Settings& settings) {
  if (options.removal) return remove_keys(options, settings);
  if (options.sequence) return list_entries(options, settings);
  if (options.from_stdin()) return query_stdin(options, settings);
  if (options.query) return query(options, settings);
  return build_tables(options, settings);
}

int verbosity(const Options& options) {
  const char* environment = std::getenv("MAIL_VERBOSE");
  return options.verbose + (environment != nullptr ? 1 : 0);
}

int run_with(const Options& options, const Settings& settings) {
  auto status = dispatch(options, settings);
  if (!status) log::fatal("{}", status.error().text);
  log::flush();
  return *status;
}

}  // namespace

int run(Command command, int argc, char** argv) {
  sys::set_umask(022);
  log::open({.ident = name_of(command), .to_stderr = true});
  auto options = parse_options(command, argc, argv);
  if (!options) log::fatal("{}", options.error().text);
  try {
    config::Config config = load_config(name_of(command), options->config_directory, verbosity(*options));
    return run_with(*options, read_settings(config));
  } catch (const config::ConfigError& error) {
    service::fatal_config(error);
  }
}

int run_newaliases(int argc, char**) {
  sys::set_umask(022);
  // What it does is postalias's work, and is logged so.
  log::open({.ident = name_of(Command::postalias), .to_stderr = true});
  if (argc > 1) log::fatal("alias initialization mode requires no recipient");
  try {
    config::Config config = load_config(name_of(Command::postalias), "", 0);
    Options options;
    options.command = Command::postalias;
    std::string databases = config.get(params::alias_database);
    for (std::string_view table : split_any(databases, kListSeparators))
      options.tables.emplace_back(table);
    return run_with(options, read_settings(config));
  } catch (const config::ConfigError& error) {
    service::fatal_config(error);
  }
}

}  // namespace postrider::postmap

// The log of a program, as its configuration asks for.
#pragma once

#include <string_view>

#include "config/config.h"

namespace postrider::service {

struct LogChoice {
  bool to_stderr = false;  ///< Commands also tell the person who runs them.
  bool to_log = true;      ///< syslog or maillog_file. Off for commands that only speak to their user.
  int verbose = 0;
  bool connect_late = false;  ///< Commands: with the first line.
};

/// Opens the log: maillog_file through postlogd, else syslog, and json_log_file beside it. Lines carry
/// "syslog_name/program"; on standard error "program".
void open_log(const config::Config& config, std::string_view program, const LogChoice& choice);

/// Warnings found while loading the configuration, and one for each parameter in main.cf that is not in force
/// yet. master does this for all.
void log_config_warnings(const config::Config& config);
/// The latter for the -o options of one service.
void log_override_warnings(const config::Config& config);

/// Ends the program because of a mistake in its configuration: where it is and what to do, then Postfix's
/// line.
[[noreturn]] void fatal_config(const config::ConfigError& error);

/// Throws ConfigError when the configuration has a mistake with which no program runs: in a setting that
/// concerns them all (config/startup.h), or in maillog_file, which must be below one of
/// maillog_file_prefixes. To be called when the log is open.
void check_config(const config::Config& config);

}  // namespace postrider::service

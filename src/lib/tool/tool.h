// What the commands for users have in common: how they start, and how they fail.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/result.h"
#include "config/config.h"
#include "sys/process.h"

namespace postrider::tool {

/// Exit statuses as sysexits.h has them.
enum ExitStatus : int {
  kOk = 0,
  kUsage = 64,
  kDataError = 65,
  kUnavailable = 69,
  kSoftware = 70,
  kSystemError = 71,
  kTemporaryFailure = 75,
  kNoPermission = 77,
};

/// A command, apart from its options.
struct Traits {
  std::string_view name;  ///< As in its log lines: "sendmail".
  int failure = 1;        ///< Exit status of everything that fails without one of its own.
  /// Installed with rights that its users do not have: its configuration and environment are not theirs to
  /// choose.
  bool may_borrow_rights = false;
  /// Its lines go to the log, too; otherwise only the person who runs it sees them.
  bool to_log = true;
  /// On standard error, when that is not `name`: a program may have several.
  std::string called_as = {};
};

/// Runs the body of a command: standard descriptors are open, broken pipes are errors of write(2), and lines
/// of the log go to standard error and to syslog. A mistake in the configuration ends it with
/// `traits.failure`.
int run(const Traits& traits, const std::function<int()>& body);

/// Loads the configuration and opens the log that it asks for. An error ends the process. `directory` is that
/// of an option -c; empty: MAIL_CONFIG or the built-in one. With `only_listed` it must be one that the
/// built-in one's main.cf names; for programs with borrowed rights that always holds.
config::Config load_config(const std::string& directory, int verbose, bool only_listed = false);

/// The entries of the own environment that import_environment lists, and those that it sets.
std::vector<std::string> imported_environment(const config::Config& config);

/// chdir(2) to queue_directory; an error ends the process.
void enter_queue_directory(const config::Config& config);

/// Logs "fatal: text" and ends the process.
[[noreturn]] void fatal_text(int status, std::string_view text);
template <typename... A>
[[noreturn]] void fatal(int status, fmt::format_string<A...> format, A&&... arguments) {
  fatal_text(status, fmt::format(format, std::forward<A>(arguments)...));
}
/// The same with the status that run() was given.
[[noreturn]] void fail_text(std::string_view text);
template <typename... A>
[[noreturn]] void fail(fmt::format_string<A...> format, A&&... arguments) {
  fail_text(fmt::format(format, std::forward<A>(arguments)...));
}

/// sys::spawn(). While the system has no room for another process it is tried again, as fork_attempts and
/// fork_delay say.
Result<pid_t> spawn(const config::Config& config, const sys::SpawnRequest& request);

/// Becomes a program of ours; an error ends the process.
[[noreturn]] void become(const std::string& directory, const std::vector<std::string>& argv);

}  // namespace postrider::tool

// The log of a process: lines in Postfix's text form to syslog, to postlogd or to standard error, and
// beside them JSON lines.
//
// Lines collect and leave once per turn of the event loop (flush()); warnings and worse leave at once.
// Untrusted bytes are made printable here, whatever the caller did.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/result.h"

namespace postrider::log {

enum class Severity : unsigned char { debug, info, warning, error, fatal, panic };

/// Where the lines go.
struct Settings {
  std::string ident;          ///< "postfix/smtpd"; for tools "postmap".
  std::string host_name;      ///< First label only is used, as syslog does.
  int facility = 2 << 3;      ///< syslog_facility as <syslog.h> has it; LOG_MAIL.
  bool to_syslog = false;     ///< /dev/log
  bool to_stderr = false;     ///< "ident: warning: text", for commands.
  std::string stderr_name;    ///< The name there; empty: the last part of ident.
  bool connect_late = false;  ///< With the first line: for commands, which mostly have none.
  std::string postlog_path;   ///< The socket of postlogd; empty: syslog is used.
  std::string fallback_file;  ///< Written to directly when postlogd does not answer; empty: standard error.
  unsigned fallback_mode = 0600;  ///< Of that file, when it is created.
  std::string json_path;          ///< JSON lines are appended there; empty: none.
  int verbose = 0;                ///< Debug lines are shown when above 0 (-v).
};

/// Starts logging as told; before, lines go to standard error. Connects now, so that it works after chroot
/// and inside a sandbox. Can be called again.
void open(Settings settings);
const Settings& settings();
/// The facility number of a name such as "mail" or "local3".
Result<int> facility_number(std::string_view name);

/// A value of the JSON line beside the text.
struct Field {
  std::string_view name;
  std::string_view text;  ///< Used when `number` is not set.
  long long number = 0;
  bool is_number = false;
  Field(std::string_view n, std::string_view value) : name(n), text(value) {}
  Field(std::string_view n, const std::string& value) : name(n), text(value) {}
  Field(std::string_view n, const char* value) : name(n), text(value) {}
  template <std::integral Number>
  Field(std::string_view n, Number value) : name(n), number(static_cast<long long>(value)), is_number(true) {}
};
using Fields = std::initializer_list<Field>;

/// One line. `event` and `fields` only show in the JSON form, `text` in both.
void write(Severity severity, std::string_view text, std::string_view event = {}, Fields fields = {});

/// Whether somebody reads JSON lines, for callers that would compute fields only for them.
bool json_wanted();
/// Names the session or job that the current fiber works on, for JSON lines.
void set_session_source(std::function<std::string_view()> source);

bool verbose();
template <typename... A>
void debug(fmt::format_string<A...> format, A&&... arguments) {
  if (verbose()) write(Severity::debug, fmt::format(format, std::forward<A>(arguments)...));
}
template <typename... A>
void info(fmt::format_string<A...> format, A&&... arguments) {
  write(Severity::info, fmt::format(format, std::forward<A>(arguments)...));
}
template <typename... A>
void warning(fmt::format_string<A...> format, A&&... arguments) {
  write(Severity::warning, fmt::format(format, std::forward<A>(arguments)...));
}
template <typename... A>
void error(fmt::format_string<A...> format, A&&... arguments) {
  write(Severity::error, fmt::format(format, std::forward<A>(arguments)...));
}

/// Logs and ends the process with status 1. For what makes it impossible to go on; no destructors run.
[[noreturn]] void fatal_text(std::string_view text);
template <typename... A>
[[noreturn]] void fatal(fmt::format_string<A...> format, A&&... arguments) {
  fatal_text(fmt::format(format, std::forward<A>(arguments)...));
}
/// Logs and aborts: a broken invariant.
[[noreturn]] void panic_text(std::string_view text);
template <typename... A>
[[noreturn]] void panic(fmt::format_string<A...> format, A&&... arguments) {
  panic_text(fmt::format(format, std::forward<A>(arguments)...));
}

/// Sends what has collected. The event loop calls it at the end of each turn.
void flush();

/// Called with each line instead of sending it, for tests.
void set_test_sink(std::function<void(Severity, std::string_view)> sink);

}  // namespace postrider::log

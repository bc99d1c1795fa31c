#include "log/log.h"

#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "base/text.h"
#include "log/json_line.h"
#include "log/sink.h"

namespace postrider::log {

namespace {

struct State {
  Settings settings;
  bool opened = false;
  bool connected = false;
  std::unique_ptr<Sink> lines;  // syslog or postlogd
  std::unique_ptr<Sink> json;
  std::function<void(Severity, std::string_view)> test_sink;
  std::function<std::string_view()> session;
};

State& state() {
  static State* instance = new State;  // Lives until the process ends: destructors may log.
  return *instance;
}

std::string_view label(Severity severity) {
  switch (severity) {
    case Severity::debug:
    case Severity::info:
      return "";
    case Severity::warning:
      return "warning: ";
    case Severity::error:
      return "error: ";
    case Severity::fatal:
      return "fatal: ";
    case Severity::panic:
      return "panic: ";
  }
  return "";
}

int syslog_priority(Severity severity) {
  switch (severity) {
    case Severity::debug:
    case Severity::info:
      return LOG_INFO;
    case Severity::warning:
      return LOG_WARNING;
    case Severity::error:
      return LOG_ERR;
    case Severity::fatal:
    case Severity::panic:
      return LOG_CRIT;
  }
  return LOG_INFO;
}

/// "Nov  5 12:00:00 ", as RFC 3164 has it; with a zero-padded day in maillog_file, as postlogd clients send
/// it.
std::string time_stamp(bool zero_padded) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t now = time(nullptr);
  tm t{};
  localtime_r(&now, &t);
  const char* month = kMonths[t.tm_mon % 12];
  return zero_padded
             ? fmt::format("{} {:02} {:02}:{:02}:{:02} ", month, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec)
             : fmt::format("{} {:2} {:02}:{:02}:{:02} ", month, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

void connect(State& s) {
  const Settings& c = s.settings;
  s.connected = true;
  if (!c.postlog_path.empty()) {
    s.lines = datagram_sink(c.postlog_path, c.fallback_file, /*join_lines=*/true, c.fallback_mode);
  } else if (c.to_syslog) {
    s.lines = datagram_sink("/dev/log", "", /*join_lines=*/false);
  }
  if (!c.json_path.empty()) s.json = file_sink(c.json_path);
}

/// Log daemons cut lines at 2048 bytes or so, with what they put in front of them.
constexpr size_t kMaxLogged = 2000;

void send_line(State& s, Severity severity, std::string_view text) {
  const Settings& c = s.settings;
  if (c.to_stderr || !s.opened) {
    // People know a program by its own name, without that of the mail system.
    std::string_view name = c.ident.empty() ? std::string_view("postrider") : c.ident;
    name.remove_prefix(name.rfind('/') + 1);
    if (!c.stderr_name.empty()) name = c.stderr_name;
    std::string line = fmt::format("{}: {}{}\n", name, label(severity), text);
    ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
    (void)ignored;
  }
  if (!s.lines) return;
  text = text.substr(0, kMaxLogged);
  if (c.postlog_path.empty()) {
    s.lines->add(fmt::format("<{}>{}{}[{}]: {}{}", c.facility | syslog_priority(severity), time_stamp(false),
                             c.ident, getpid(), label(severity), text));
  } else {
    s.lines->add(fmt::format("{}{} {}[{}]: {}{}", time_stamp(true), c.host_name, c.ident, getpid(),
                             label(severity), text));
  }
}

}  // namespace

void open(Settings settings) {
  State& s = state();
  flush();
  s.settings = std::move(settings);
  Settings& c = s.settings;
  c.host_name = c.host_name.substr(0, c.host_name.find('.'));
  s.opened = true;
  s.lines.reset();
  s.json.reset();
  s.connected = false;
  if (!c.connect_late) connect(s);
}

const Settings& settings() {
  return state().settings;
}
bool json_wanted() {
  return !state().settings.json_path.empty();
}
bool verbose() {
  return state().settings.verbose > 0;
}
void set_session_source(std::function<std::string_view()> source) {
  state().session = std::move(source);
}
void set_test_sink(std::function<void(Severity, std::string_view)> sink) {
  state().test_sink = std::move(sink);
}

Result<int> facility_number(std::string_view name) {
  static constexpr std::pair<std::string_view, int> kFacilities[] = {
      {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},     {"daemon", LOG_DAEMON},
      {"ftp", LOG_FTP},       {"kern", LOG_KERN},         {"lpr", LOG_LPR},       {"mail", LOG_MAIL},
      {"news", LOG_NEWS},     {"security", LOG_AUTH},     {"syslog", LOG_SYSLOG}, {"user", LOG_USER},
      {"uucp", LOG_UUCP},     {"local0", LOG_LOCAL0},     {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
      {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
      {"local7", LOG_LOCAL7}};
  for (auto [known, number] : kFacilities) {
    if (known == name) return number;
  }
  return fail(ErrorKind::invalid, fmt::format("unknown syslog facility name: {}", name));
}

void write(Severity severity, std::string_view text, std::string_view event, Fields fields) {
  State& s = state();
  std::string clean = printable(text);
  if (s.test_sink) {
    s.test_sink(severity, clean);
    return;
  }
  if (s.opened && !s.connected) connect(s);
  send_line(s, severity, clean);
  if (s.json) {
    s.json->add(
        json_line(s.settings, severity, clean, event, fields, s.session ? s.session() : std::string_view()));
  }
  if (severity > Severity::info) flush();
}

void flush() {
  State& s = state();
  if (s.lines) s.lines->flush();
  if (s.json) s.json->flush();
}

void fatal_text(std::string_view text) {
  write(Severity::fatal, text);
  _exit(1);
}

void panic_text(std::string_view text) {
  write(Severity::panic, text);
  abort();
}

}  // namespace postrider::log

#include "log/json_line.h"

#include <sys/time.h>
#include <unistd.h>

#include <ctime>

#include "base/text.h"

namespace postrider::log {

namespace {

std::string_view name_of(Severity severity) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error", "fatal", "panic"};
  return kNames[static_cast<size_t>(severity)];
}

void append_string(std::string& out, std::string_view value) {
  out += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_control(c)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_string(out, value);
}

}  // namespace

std::string json_line(const Settings& settings, Severity severity, std::string_view text,
                      std::string_view event, Fields fields, std::string_view session) {
  timeval now{};
  gettimeofday(&now, nullptr);
  tm t{};
  gmtime_r(&now.tv_sec, &t);
  std::string out = fmt::format("{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\"", t.tm_year + 1900,
                                t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, now.tv_usec / 1000);
  append_member(out, "host", settings.host_name);
  append_member(out, "service", settings.ident);
  out += fmt::format(",\"pid\":{}", getpid());
  append_member(out, "severity", name_of(severity));
  if (!session.empty()) append_member(out, "session", session);
  if (!event.empty()) append_member(out, "event", event);
  for (const Field& field : fields) {
    if (field.is_number) {
      out += fmt::format(",\"{}\":{}", field.name, field.number);
    } else {
      // Values of fields, unlike `text`, have not been made printable yet, and JSON must be UTF-8.
      append_member(out, field.name,
                    is_valid_utf8(field.text) ? std::string(field.text) : printable(field.text));
    }
  }
  append_member(out, "text", text);
  out += '}';
  return out;
}

}  // namespace postrider::log

// postlog - logs for shell scripts as programs of the mail system log.
//
// May be installed with the rights of the group that reaches postlogd.

#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "log/log.h"
#include "sys/fd.h"
#include "tool/tool.h"

namespace postrider::postlog {
namespace {

using log::Severity;

/// Longer lines of standard input become several records.
constexpr size_t kMaxLine = 64 * 1024;

std::optional<Severity> find_severity(std::string_view name) {
  static constexpr std::pair<std::string_view, Severity> kNames[] = {
      {"info", Severity::info},   {"warn", Severity::warning}, {"warning", Severity::warning},
      {"error", Severity::error}, {"err", Severity::error},    {"fatal", Severity::fatal},
      {"crit", Severity::fatal},  {"panic", Severity::panic},
  };
  for (auto [known, severity] : kNames) {
    if (known == name) return severity;
  }
  return std::nullopt;
}

struct CommandLine {
  std::string config_directory;
  std::string tag;
  std::string priority = "info";
  std::string text;
  bool has_text = false;
  bool usage = false;
  int verbose = 0;
};

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  for (int option; (option = getopt(argc, argv, "+c:ip:t:v")) != -1;) {
    switch (option) {
      case 'c':
        line.config_directory = optarg;
        break;
      case 'i':  // The process id always stands in the line.
        break;
      case 'p':
        line.priority = optarg;
        break;
      case 't':
        line.tag = optarg;
        break;
      case 'v':
        ++line.verbose;
        break;
      default:
        line.usage = true;
    }
  }
  line.has_text = optind < argc;
  for (int i = optind; i < argc; ++i) {
    if (i > optind) line.text += ' ';
    line.text += argv[i];
  }
  return line;
}

void log_standard_input(Severity severity) {
  std::string buffer;
  for (bool more = true; more;) {
    char chunk[4096];
    auto count = sys::read_some(STDIN_FILENO, chunk, sizeof chunk);
    more = count && *count > 0;
    if (more) buffer.append(chunk, *count);
    for (;;) {
      size_t end = buffer.find('\n');
      if (end == buffer.npos && buffer.size() >= kMaxLine) end = kMaxLine;
      if (end == buffer.npos && !more && !buffer.empty()) end = buffer.size();
      if (end == buffer.npos) break;
      log::write(severity, std::string_view(buffer).substr(0, end));
      buffer.erase(0, end < buffer.size() && buffer[end] == '\n' ? end + 1 : end);
    }
  }
}

int run(int argc, char** argv) {
  CommandLine line = parse(argc, argv);
  (void)tool::load_config(line.config_directory, line.verbose);
  if (line.usage) tool::fail("usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]");
  auto severity = find_severity(line.priority);
  if (!severity) tool::fail("bad severity: \"{}\"", line.priority);
  if (!line.tag.empty()) {
    log::Settings settings = log::settings();
    settings.ident = settings.stderr_name = line.tag;
    log::open(std::move(settings));
  }
  if (line.has_text) {
    log::write(*severity, line.text);
  } else {
    log_standard_input(*severity);
  }
  log::flush();
  // Whoever reports that something cannot go on is most likely to be started again at once.
  if (*severity == Severity::fatal || *severity == Severity::panic) sleep(1);
  return tool::kOk;
}

}  // namespace
}  // namespace postrider::postlog

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "postlog", .may_borrow_rights = true}, [&] { return postlog::run(argc, argv); });
}

#include "tools/lint/command.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"
#include "config/config.h"
#include "config/params/instance.h"
#include "config/paths.h"
#include "log/log.h"
#include "sys/fd.h"
#include "tools/lint/checks.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

constexpr int kUsage = 64;

struct Options {
  bool json = false;   ///< -j
  bool quiet = false;  ///< -q: without notes.
  bool ask = false;    ///< -t: asks tables of other systems, too.
};

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options out;
  for (const std::string& argument : arguments) {
    if (argument.size() < 2 || argument[0] != '-') return std::nullopt;
    for (char option : argument.substr(1)) {
      if (option != 'j' && option != 'q' && option != 't') return std::nullopt;
      (option == 'j' ? out.json : option == 'q' ? out.quiet : out.ask) = true;
    }
  }
  return out;
}

std::string counted(size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

void print(const Report& report, const Options& options) {
  std::string out;
  std::array<size_t, 3> counts{};
  for (const Finding& finding : report.sorted()) {
    if (options.quiet && finding.code.severity == Severity::note) continue;
    ++counts.at(static_cast<size_t>(finding.code.severity));
    out += options.json ? to_json(finding) : to_text(finding);
  }
  if (!options.json && !out.empty()) {
    out += fmt::format("{}, {}, {}\n", counted(counts[2], "error"), counted(counts[1], "warning"),
                       counted(counts[0], "note"));
  }
  (void)sys::write_all(STDOUT_FILENO, out);
}

std::vector<std::string> directories_of(const std::string& first) {
  std::vector<std::string> out = {first};
  auto config = config::Config::load({.directory = first, .process_name = "postfix"});
  if (!config) return out;
  try {
    std::string others = config->get(config::params::multi_instance_directories);
    for (std::string_view other : split_any(others, kListSeparators))
      out.emplace_back(other);
  } catch (const config::ConfigError&) {
    // The check of values tells.
  }
  return out;
}

}  // namespace

int lint_command(const std::string& directory, const std::vector<std::string>& arguments) {
  auto options = parse(arguments);
  if (!options) {
    log::write(log::Severity::fatal, "usage: postfix [-c config_dir] lint [-jqt]");
    return kUsage;
  }
  // What the code of the daemons would log is no finding.
  log::open({.ident = "postfix/lint"});
  const char* environment = std::getenv("MAIL_CONFIG");
  std::string first = !directory.empty()            ? directory
                      : environment && *environment ? environment
                                                    : config::paths::config_directory;
  if (options->ask) ask_tables_elsewhere();
  Report report;
  for (const std::string& place : directories_of(first))
    lint(place, report);
  print(report, *options);
  return report.exit_status();
}

}  // namespace postrider::lint

#include "tools/postmulti/iterate.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/instance.h"
#include "config/params/tools.h"
#include "log/log.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace postrider::postmulti {

namespace params = config::params;

namespace {

std::string_view or_dash(std::string_view text) {
  return text.empty() ? std::string_view("-") : text;
}

bool lists(const config::Config& config, config::Param<std::string> param, std::string_view word) {
  std::string list = config.get(param);
  auto words = split_any(list, kListSeparators);
  return std::ranges::find(words, word) != words.end();
}

/// What a command of postfix asks of the instances.
enum class CommandKind : unsigned char {
  start,    ///< For those that are not enabled, a check instead.
  stop,     ///< In the opposite order, without those that are not enabled.
  control,  ///< Without those that are not enabled.
  other,    ///< All.
};
CommandKind kind_of(const config::Config& primary, std::string_view command) {
  if (lists(primary, params::postmulti_start_commands, command)) return CommandKind::start;
  if (lists(primary, params::postmulti_stop_commands, command)) return CommandKind::stop;
  if (lists(primary, params::postmulti_control_commands, command)) return CommandKind::control;
  return CommandKind::other;
}

/// For the programs that are run; what is empty is not there.
void export_environment(const config::Config& primary, const Instance& instance, int verbose) {
  const std::pair<const char*, std::string> entries[] = {
      {"command_directory", primary.get(params::command_directory)},
      {"daemon_directory", primary.get(params::daemon_directory)},
      {"config_directory", instance.config_directory},
      {"queue_directory", instance.queue_directory},
      {"data_directory", instance.data_directory},
      {"multi_instance_name", instance.name},
      {"multi_instance_group", instance.group},
      {"multi_instance_enable", instance.enabled ? "yes" : "no"},
      {"MAIL_CONFIG", instance.config_directory},
  };
  std::vector<std::string> environment = sys::environment();
  std::erase_if(environment, [&](std::string_view entry) {
    std::string_view name = entry.substr(0, entry.find('='));
    return std::ranges::any_of(entries, [&](const auto& own) { return own.first == name; });
  });
  for (const auto& [name, value] : entries)
    if (!value.empty()) environment.push_back(fmt::format("{}={}", name, value));
  if (verbose > 0) environment.emplace_back("MAIL_VERBOSE=");
  sys::set_environment(environment);
}

/// False when the command fails, or cannot be run.
bool run(const std::vector<std::string>& argv) {
  log::flush();
  auto program = sys::find_program(argv[0]);
  auto pid = program ? sys::spawn({.program = *program,
                                   .argv = argv,
                                   .environment = sys::environment(),
                                   .descriptors = {{0, 0}, {1, 1}, {2, 2}}})
                     : std::unexpected(std::move(program).error());
  if (!pid) {
    std::string reason = pid.error().code != 0 ? std::strerror(pid.error().code) : pid.error().text;
    log::write(log::Severity::fatal, fmt::format("execvp {}: {}", printable(argv[0]), reason));
    return false;
  }
  auto status = sys::wait_for(*pid);
  return status && *status == 0;
}

int list(const std::vector<const Instance*>& chosen) {
  std::string out;
  for (const Instance* instance : chosen) {
    out += fmt::format("{:<15} {:<15} {:<9} {}\n", or_dash(instance->name), or_dash(instance->group),
                       instance->enabled ? 'y' : 'n', instance->config_directory);
  }
  auto written = sys::write_all(STDOUT_FILENO, out);
  if (written) return 0;
  log::write(log::Severity::fatal, fmt::format("error writing output: {}", written.error().text));
  return 1;
}

/// The command line for an instance; nothing for one that is passed over.
std::vector<std::string> postfix_command(const config::Config& primary, const Instance& instance,
                                         CommandKind kind, const std::vector<std::string>& words) {
  bool passed_over = !instance.enabled && (kind == CommandKind::stop || kind == CommandKind::control);
  if (passed_over) return {};
  std::vector<std::string> out = {primary.get(params::command_directory) + "/postfix", "-c",
                                  instance.config_directory};
  if (!instance.enabled && kind == CommandKind::start) {
    out.emplace_back("check");
  } else {
    out.insert(out.end(), words.begin(), words.end());
  }
  return out;
}

}  // namespace

Result<int> iterate(const config::Config& primary, const Instances& instances, const Options& options) {
  std::vector<const Instance*> chosen;
  for (const Instance& instance : instances.all())
    if (matches(instance, options.selection)) chosen.push_back(&instance);
  CommandKind kind = options.mode == Mode::wrap ? kind_of(primary, options.words[0]) : CommandKind::other;
  if (options.reverse || kind == CommandKind::stop) std::ranges::reverse(chosen);
  if (options.mode == Mode::list) return list(chosen);
  bool any = false, good = true;
  for (const Instance* instance : chosen) {
    std::vector<std::string> argv =
        options.mode == Mode::wrap ? postfix_command(primary, *instance, kind, options.words) : options.words;
    if (argv.empty()) continue;
    any = true;
    export_environment(primary, *instance, options.verbose);
    good = run(argv) && good;
  }
  if (!any) return fail(ErrorKind::not_found, "No matching instances");
  return good ? 0 : 1;
}

}  // namespace postrider::postmulti

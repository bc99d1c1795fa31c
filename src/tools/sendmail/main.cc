// sendmail - submits mail, and passes on what else programs ask a command of this name for.
//
// Runs with the rights of its caller. A message reaches the maildrop queue through postdrop, which has the
// rights of the group of that queue, or directly when the caller has such rights already.

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/queue_layout.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/services.h"
#include "config/params/tools.h"
#include "log/log.h"
#include "queue/files.h"
#include "queue/store.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/user.h"
#include "tool/tool.h"
#include "tools/sendmail/input.h"
#include "tools/sendmail/options.h"
#include "tools/sendmail/outlet.h"
#include "tools/sendmail/submit.h"

namespace postrider::sendmail {
namespace {

namespace params = config::params;

std::vector<std::string> with_verbosity(std::vector<std::string> argv, int verbose) {
  argv.insert(argv.end(), static_cast<size_t>(verbose), "-v");
  return argv;
}

bool is_default(const config::Config& config, config::Param<std::string> param) {
  return config.get(param) == param.info->fallback;
}

/// Whether everybody may submit mail as anybody: then there is nothing that only postdrop could check.
bool anything_goes(const config::Config& config) {
  return is_default(config, params::authorized_submit_users) &&
         is_default(config, params::local_login_sender_maps);
}

/// Nothing when postdrop has to do it.
std::unique_ptr<Outlet> direct_outlet(const config::Config& config, const Limits& limits) {
  if (!anything_goes(config) || sys::has_borrowed_rights() || !sys::can_access("maildrop", W_OK | X_OK))
    return {};
  auto drop =
      maildrop::Drop::begin(queue::system_files(), clients::queue_layout(config),
                            {.max_size = static_cast<uint64_t>(config.get(params::message_size_limit))});
  // postdrop has more patience, and a log line for what is wrong.
  if (!drop) return {};
  return std::make_unique<DirectOutlet>(std::move(*drop), limits.line_length,
                                        "public/" + config.get(params::pickup_service_name));
}

std::unique_ptr<Outlet> open_outlet(const config::Config& config, const CommandLine& line,
                                    const Limits& limits, const std::string& who) {
  if (auto direct = direct_outlet(config, limits)) return direct;
  std::string program = config.get(params::command_directory) + "/postdrop";
  auto outlet = PostdropOutlet::start(with_verbosity({program, "-r"}, line.verbose), sys::environment());
  if (!outlet) tool::fatal(tool::kUnavailable, "{}: unable to {}", who, outlet.error().text);
  return std::move(*outlet);
}

int enqueue(const config::Config& config, const CommandLine& line) {
  auto endings = parse_line_endings(config.get(params::sendmail_fix_line_endings));
  if (!endings) {
    tool::fail("invalid sendmail_fix_line_endings value: {}", config.get(params::sendmail_fix_line_endings));
  }
  Limits limits{.line_length = static_cast<size_t>(config.get(params::line_length_limit)),
                .header_size = static_cast<size_t>(config.get(params::header_size_limit))};
  Caller caller = find_caller();
  auto sender = envelope_sender(line, caller);
  if (!sender) tool::fail("{}", sender.error().text);
  if (sender->warning) log::warning("{}", *sender->warning);
  std::string who = fmt::format("{}({})", sender->address, caller.uid);

  Input input(STDIN_FILENO,
              {.line_limit = limits.line_length, .line_endings = *endings, .dot_ends = line.dot_ends_input});
  std::unique_ptr<Outlet> outlet = open_outlet(config, line, limits, who);
  auto submitted = submit(line, caller, sender->address, limits, input, *outlet);
  if (!submitted) {
    outlet.reset();  // Nothing stays behind: the process ends without destructors.
    tool::fail("{}: {}", who, submitted.error().text);
  }
  maildrop::Outcome outcome = outlet->finish();
  outlet.reset();
  if ((outcome.problems & maildrop::kProblemNotPermitted) != 0) tool::fail("{}", outcome.reason);
  if (outcome.problems != 0) tool::fail("{}: {}", who, outcome.text());
  if (line.trace_flags != 0) {
    std::string note = fmt::format("Mail Delivery Status Report will be mailed to <{}>.\n", sender->address);
    (void)sys::write_all(STDOUT_FILENO, note);
  }
  return tool::kOk;
}

/// "smtpd -S" submits through postdrop, which refuses who may not; saying so at once is kinder.
void check_permission(const config::Config& config) {
  if (is_default(config, params::authorized_submit_users)) return;
  auto probe =
      PostdropOutlet::start({config.get(params::command_directory) + "/postdrop", "-r"}, sys::environment());
  if (!probe) tool::fail("{}", probe.error().text);
  maildrop::Outcome outcome = (*probe)->cancel();
  if ((outcome.problems & maildrop::kProblemNotPermitted) != 0) tool::fail("{}", outcome.reason);
}

int rebuild_aliases(const config::Config& config, const CommandLine& line) {
  std::string databases = line.alias_database ? *line.alias_database : config.get(params::alias_database);
  std::vector<std::string> argv = with_verbosity({"postalias"}, line.verbose);
  size_t options = argv.size();
  for (std::string_view database : split_any(databases, kListSeparators))
    argv.emplace_back(database);
  if (argv.size() == options) return tool::kOk;
  tool::become(config.get(params::command_directory), argv);
}

int start_daemon(const config::Config& config, const CommandLine& line) {
  std::vector<std::string> argv =
      with_verbosity({config.get(params::command_directory) + "/postfix"}, line.verbose);
  argv.emplace_back("start");
  auto started = tool::spawn(
      config, {.argv = argv, .environment = sys::environment(), .descriptors = {{0, 0}, {1, 1}, {2, 2}}});
  return started ? tool::kOk : 1;
}

int act(const config::Config& config, const CommandLine& line) {
  std::string commands = config.get(params::command_directory);
  auto postqueue = [&](std::vector<std::string> argv) {
    argv.insert(argv.begin(), "postqueue");
    tool::become(commands, with_verbosity(std::move(argv), line.verbose));
  };
  switch (line.mode) {
    case Mode::enqueue:
      if (!line.site_to_flush.empty()) postqueue({"-s", line.site_to_flush});
      if (!line.id_to_flush.empty()) postqueue({"-i", line.id_to_flush});
      return enqueue(config, line);
    case Mode::list_queue:
      postqueue({"-p"});
      break;
    case Mode::flush_queue:
      postqueue({"-f"});
      break;
    case Mode::aliases:
      return rebuild_aliases(config, line);
    case Mode::daemon:
      return start_daemon(config, line);
    case Mode::smtp:
      check_permission(config);
      tool::become(config.get(params::daemon_directory), with_verbosity({"smtpd", "-S"}, line.verbose));
    case Mode::nothing:
      break;
  }
  return tool::kOk;
}

int run(int argc, char** argv) {
  std::string name(sys::base_name(argv[0]));
  argv[0] = name.data();
  std::string directory = find_config_directory(argc, argv);
  // What users choose here, postdrop and postqueue would refuse.
  config::Config config = tool::load_config(directory, 0, !directory.empty() && sys::own_identity().uid != 0);
  // Programs that are started from here work with the same configuration.
  if (!directory.empty()) sys::set_environment_entry("MAIL_CONFIG", directory);
  Rules rules{.default_verp_delimiters = config.get(params::default_verp_delimiters),
              .verp_delimiter_filter = config.get(params::verp_delimiter_filter)};
  tool::enter_queue_directory(config);
  auto line = parse_command_line(argc, argv, mode_of_name(name), rules,
                                 [](const std::string& text) { log::warning("{}", text); });
  if (!line) tool::fail("{}", line.error().text);
  return act(config, *line);
}

}  // namespace
}  // namespace postrider::sendmail

int main(int argc, char** argv) {
  using namespace postrider;
  std::string called_as(sys::base_name(argc > 0 ? argv[0] : "sendmail"));
  return tool::run({.name = "sendmail", .failure = tool::kTemporaryFailure, .called_as = called_as},
                   [&] { return sendmail::run(argc, argv); });
}

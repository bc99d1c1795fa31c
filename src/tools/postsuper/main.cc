// postsuper - maintains the queue: deletes, requeues, holds, releases and expires messages, removes
// leftovers, and puts files under the names and into the directories where they belong. For the superuser, or
// without root for the owner of the queue. Works while the mail system runs.

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include <fmt/format.h>

#include "clients/queue_layout.h"
#include "config/config.h"
#include "config/params/instance.h"
#include "log/log.h"
#include "queue/files.h"
#include "service/environment.h"
#include "service/log_setup.h"
#include "sys/user.h"
#include "tools/postsuper/superintendent.h"

namespace postrider::postsuper {
namespace {

namespace params = config::params;
using enum queue::QueueName;

constexpr std::string_view kAll = "ALL";
constexpr std::string_view kFromInput = "-";
/// Longer lines of standard input are no queue ids, however they go on.
constexpr size_t kMaxInputLine = 1024;

/// An action as the user asked for it: for one id, for all messages, or for the ids on standard input.
struct Step {
  Action action;
  std::string id;
};

struct CommandLine {
  std::string config_directory;
  Sweep upkeep;  // -p, -s, -S: before everything else.
  std::vector<Step> steps;
  Queues queues;
  std::string bad_queue;
  int verbose = 0;
  bool usage = false;
};

std::optional<Action> action_of(int option) {
  switch (option) {
    case 'd':
      return Action::remove;
    case 'e':
      return Action::expire;
    case 'f':
      return Action::expire_and_release;
    case 'h':
      return Action::hold;
    case 'H':
      return Action::release;
    case 'r':
      return Action::requeue;
    default:
      return std::nullopt;
  }
}

/// The queues that postsuper may be told to work on; -s and -p take them in this order when none is named.
const Queues& known_queues() {
  static const Queues queues = {defer, bounce, trace, maildrop, incoming, active, deferred, hold, flush};
  return queues;
}

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  for (int option; (option = getopt(argc, argv, "+c:d:e:f:h:H:pr:sSv")) != -1;) {
    if (auto action = action_of(option)) {
      line.steps.push_back({*action, optarg});
    } else if (option == 'c') {
      line.config_directory = optarg;
    } else if (option == 'p') {
      line.upkeep.purge = true;
    } else if (option == 's') {
      line.upkeep.structure = true;
    } else if (option == 'S') {
      line.upkeep.structure = line.upkeep.check_long_ids = true;
    } else if (option == 'v') {
      ++line.verbose;
    } else {
      line.usage = true;
    }
  }
  if (line.steps.empty() && !line.upkeep.purge && !line.upkeep.structure) {
    line.upkeep.purge = line.upkeep.structure = true;
  }
  for (int i = optind; i < argc; ++i) {
    auto queue = queue::find_queue(argv[i]);
    const Queues& known = known_queues();
    if (queue && std::find(known.begin(), known.end(), *queue) != known.end()) {
      line.queues.push_back(*queue);
    } else if (line.bad_queue.empty()) {
      line.bad_queue = argv[i];
    }
  }
  return line;
}

// --- who and where ---

config::Config configure(const CommandLine& line) {
  log::open({.ident = "postsuper", .to_stderr = true, .verbose = line.verbose});
  auto config = config::Config::load({.directory = line.config_directory, .process_name = "postsuper"});
  if (!config) log::fatal("{}", config.error().text);
  service::open_log(*config, "postsuper", {.to_stderr = true, .verbose = line.verbose});
  for (const std::string& warning : config->warnings())
    log::warning("{}", warning);
  service::check_config(*config);
  service::set_named_environment(*config);
  return std::move(*config);
}

/// Goes to the queue directory and takes on the identity of its owner.
void enter_queue(const config::Config& config) {
  std::string directory = config.get(params::queue_directory);
  bool root = geteuid() == 0;
  if (!root) {
    auto status = queue::system_files().status(directory);
    if (!status || status->owner != geteuid())
      log::fatal("use of this command is reserved for the superuser");
  }
  if (::chdir(directory.c_str()) < 0) log::fatal("{}", Error::from_errno("chdir " + directory, errno).text);
  if (!root) return;
  std::string name = config.get(params::mail_owner);
  auto owner = sys::find_user(name);
  if (!owner) log::fatal("{}", owner.error().text);
  if (!*owner) {
    log::fatal("file {}: parameter mail_owner: unknown user name value: {}", config.main_cf_path(), name);
  }
  auto done = sys::become_user((*owner)->uid, (*owner)->gid);
  if (!done) log::fatal("{}", done.error().text);
}

// --- interruption ---

Superintendent* working = nullptr;
volatile std::sig_atomic_t caught = 0;

void on_signal(int number) {
  caught = number;
  if (working != nullptr) working->stop();
}

void warn_incomplete(const Counts& counts) {
  if (counts.misnamed + counts.renamed + counts.misplaced == 0) return;
  log::warning("OPERATION INCOMPLETE -- RERUN COMMAND TO FIX THE QUEUE FIRST");
}

void leave_if_interrupted(const Superintendent& superintendent) {
  if (caught == 0) return;
  warn_incomplete(superintendent.counts());
  std::exit(caught);
}

// --- the work ---

void sweep(Superintendent& superintendent, const Sweep& what, const Queues& queues) {
  auto swept = superintendent.sweep(what, queues);
  leave_if_interrupted(superintendent);
  if (swept) return;
  bool scan = swept.error().text.starts_with("open directory ");
  log::write(log::Severity::fatal, (scan ? "scan_dir_push: " : "") + swept.error().text);
  warn_incomplete(superintendent.counts());
  std::exit(1);
}

/// One line of standard input; longer ones are cut.
bool read_line(std::string& line) {
  line.clear();
  for (int c; (c = std::cin.get()) != std::char_traits<char>::eof();) {
    if (c == '\n') return true;
    if (line.size() < kMaxInputLine) line += static_cast<char>(c);
  }
  return !line.empty();
}

void take_step(Superintendent& superintendent, const Step& step, const Queues& chosen) {
  const Queues messages = {maildrop, incoming, active, deferred, hold};
  if (step.id == kAll) {
    return sweep(superintendent, {.action = step.action}, chosen.empty() ? known_queues() : chosen);
  }
  const Queues& queues = chosen.empty() ? messages : chosen;
  if (step.id != kFromInput) {
    (void)superintendent.apply(step.action, queues, step.id);
    return;
  }
  for (std::string id; read_line(id);) {
    (void)superintendent.apply(step.action, queues, id);
    leave_if_interrupted(superintendent);
  }
}

bool by_id(const std::vector<Step>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.id != kAll; });
}

/// -p, -s and -S. Ids that the user gives may mean other messages once names have changed.
void keep_up(Superintendent& superintendent, const CommandLine& line) {
  if (!line.upkeep.purge && !line.upkeep.structure) return;
  const Queues& queues = line.queues.empty() ? known_queues() : line.queues;
  sweep(superintendent, line.upkeep, queues);
  if (superintendent.counts().misnamed > 0) sweep(superintendent, line.upkeep, queues);
  const Counts& counts = superintendent.counts();
  if (counts.misnamed + counts.renamed == 0 || !by_id(line.steps)) return;
  log::error("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS");
  log::write(log::Severity::fatal, "CHECK YOUR QUEUE IDS AND RE-ISSUE THE COMMAND");
  warn_incomplete(counts);
  std::exit(1);
}

void report(const CommandLine& line, const Counts& counts) {
  auto asked = [&](Action action, Action other) {
    return std::any_of(line.steps.begin(), line.steps.end(),
                       [&](const Step& step) { return step.action == action || step.action == other; });
  };
  auto say = [](const char* what, int count) {
    log::info("{}: {} message{}", what, count, count == 1 ? "" : "s");
  };
  if (asked(Action::requeue, Action::requeue)) say("Requeued", counts.requeued);
  if (asked(Action::remove, Action::remove)) say("Deleted", counts.removed);
  if (asked(Action::expire, Action::expire_and_release)) say("Force-expired", counts.expired);
  if (asked(Action::hold, Action::hold)) say("Placed on hold", counts.held);
  if (asked(Action::release, Action::expire_and_release)) say("Released from hold", counts.released);
  if (counts.renamed == 0) return;
  say("Renamed to match inode number", counts.renamed);
  log::warning("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS");
}

void run(const CommandLine& line) {
  config::Config config = configure(line);
  if (line.usage) {
    log::fatal(
        "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-f queue_id (expire "
        "and/or "
        "un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary files)] [-r queue_id "
        "(requeue)] "
        "[-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]");
  }
  enter_queue(config);
  if (!line.bad_queue.empty()) log::fatal("invalid directory name: {}", line.bad_queue);

  queue::Store store(queue::system_files(), clients::queue_layout(config));
  Superintendent superintendent(store, time(nullptr));
  working = &superintendent;
  for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM})
    std::signal(number, on_signal);
  keep_up(superintendent, line);
  for (const Step& step : line.steps)
    take_step(superintendent, step, line.queues);
  report(line, superintendent.counts());
}

}  // namespace
}  // namespace postrider::postsuper

int main(int argc, char** argv) {
  using namespace postrider;
  try {
    postsuper::run(postsuper::parse(argc, argv));
  } catch (const config::ConfigError& error) {
    service::fatal_config(error);
  }
  log::flush();
  return 0;
}

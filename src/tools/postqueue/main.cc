// postqueue - shows the queue to users and lets them ask for deliveries.
//
// Runs with the rights of the group that may talk to the services in public/.

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "config/params/qmgr.h"
#include "config/params/tools.h"
#include "log/log.h"
#include "queue/id.h"
#include "sys/fd.h"
#include "tool/tool.h"
#include "tool/user_access.h"
#include "tools/postqueue/listing.h"
#include "tools/postqueue/requests.h"
#include "tools/postqueue/selection.h"
#include "tools/postqueue/source.h"

namespace postrider::postqueue {
namespace {

namespace params = config::params;

enum class Mode : unsigned char { list, list_json, flush, flush_site, flush_message };

struct CommandLine {
  std::string config_directory;
  std::optional<Mode> mode;
  std::string argument;              ///< Of -s and -i.
  std::optional<std::string> query;  ///< -q
  std::optional<Key> key;            ///< -k
  bool ids_only = false;             ///< -l
  int verbose = 0;
};

[[noreturn]] void usage() {
  tool::fail("usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site");
}

std::optional<Mode> mode_of(int option) {
  switch (option) {
    case 'f':
      return Mode::flush;
    case 'i':
      return Mode::flush_message;
    case 'j':
      return Mode::list_json;
    case 'p':
      return Mode::list;
    case 's':
      return Mode::flush_site;
    default:
      return std::nullopt;
  }
}

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  for (int option; (option = getopt(argc, argv, "+c:fi:jk:lpq:s:v")) != -1;) {
    if (option == 'q') {
      if (line.query) usage();
      line.query = optarg;
    } else if (option == 'k') {
      line.key = parse_key(optarg);
      if (!line.key)
        tool::fail("-k needs one of all, sender, sender-domain, recipient, domain, reason, queue");
    } else if (option == 'l') {
      line.ids_only = true;
    } else if (auto mode = mode_of(option)) {
      if (line.mode) usage();
      line.mode = mode;
      if (optarg != nullptr) line.argument = optarg;
    } else if (option == 'c') {
      line.config_directory = optarg;
    } else if (option == 'v') {
      ++line.verbose;
    } else {
      usage();
    }
  }
  bool about_selection = line.key || line.ids_only;
  if (line.query) {
    if (!line.mode) line.mode = Mode::list;
    bool lists = line.mode == Mode::list || line.mode == Mode::list_json;
    if (!lists) tool::fail("-q lists messages, and goes with -p, -j, -l and -k only");
    if (line.ids_only && (line.key || line.mode == Mode::list_json))
      tool::fail("-l lists queue IDs, and goes with neither -j nor -k");
  } else if (about_selection) {
    tool::fail("-l and -k need a query: -q \"age>1d\"");
  }
  if (argc > optind || !line.mode) usage();
  return line;
}

/// What no service need be asked about.
void check_argument(const CommandLine& line) {
  if (line.mode == Mode::flush_site && !is_site(line.argument)) {
    constexpr size_t kShown = 100;
    tool::fail("Cannot flush mail queue - invalid destination: \"{}{}\"", line.argument.substr(0, kShown),
               line.argument.size() > kShown ? "..." : "");
  }
  if (line.mode == Mode::flush_message && !queue::is_valid_id(line.argument)) {
    tool::fail("Cannot flush queue ID - invalid name: \"{}\"", line.argument);
  }
}

void require_user(const config::Config& config, config::Param<std::string> list, std::string_view purpose) {
  auto refused = tool::refused_user(config, list);
  if (!refused) tool::fail("{}", refused.error().text);
  if (*refused) tool::fail("User {} is not allowed to {} the mail queue", **refused, purpose);
}

/// Standard output, in large pieces. Whoever has seen enough may close it.
class Output {
 public:
  std::string& buffer() { return buffer_; }
  void flush_when_full() {
    constexpr size_t kPiece = 64 * 1024;
    if (buffer_.size() >= kPiece) flush();
  }
  void flush() {
    auto written = sys::write_all(STDOUT_FILENO, buffer_);
    buffer_.clear();
    if (written) return;
    if (written.error().code == EPIPE) _exit(tool::kOk);
    tool::fail("output write error: {}", written.error().text);
  }

 private:
  std::string buffer_;
};

void list(const config::Config& config, bool json) {
  auto listing = json ? json_listing() : text_listing(config.get(params::enable_long_queue_ids));
  Output output;
  read_queue(config, [&](const proto::QueueEntry& entry) {
    listing->add(entry, output.buffer());
    output.flush_when_full();
  });
  listing->end(output.buffer());
  output.flush();
}

/// What a query is about.
void select(const config::Config& config, const CommandLine& line) {
  auto query = Query::parse(*line.query);
  if (!query) tool::fatal(tool::kUsage, "bad query: {}", query.error().text);
  bool json = line.mode == Mode::list_json;
  int64_t now = std::time(nullptr);
  std::unique_ptr<Selection> selection;
  if (line.key) {
    selection = counted(*query, now, *line.key, json);
  } else if (line.ids_only) {
    selection = named(*query, now);
  } else {
    selection =
        listed(*query, now, json ? json_listing() : text_listing(config.get(params::enable_long_queue_ids)));
  }
  Output output;
  read_queue(config, [&](const proto::QueueEntry& entry) {
    selection->add(entry, output.buffer());
    output.flush_when_full();
  });
  selection->end(output.buffer());
  output.flush();
}

int run(int argc, char** argv) {
  CommandLine line = parse(argc, argv);
  config::Config config = tool::load_config(line.config_directory, line.verbose);
  tool::enter_queue_directory(config);
  check_argument(line);
  bool lists = line.mode == Mode::list || line.mode == Mode::list_json;
  if (lists) {
    require_user(config, params::authorized_mailq_users, "view");
  } else {
    require_user(config, params::authorized_flush_users, "flush");
  }
  if (line.query) {
    select(config, line);
  } else if (lists) {
    list(config, line.mode == Mode::list_json);
  }
  if (line.mode == Mode::flush) flush_queue(config);
  if (line.mode == Mode::flush_site) flush_site(config, line.argument);
  if (line.mode == Mode::flush_message) flush_message(config, line.argument);
  return tool::kOk;
}

}  // namespace
}  // namespace postrider::postqueue

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "postqueue", .failure = tool::kUnavailable, .may_borrow_rights = true},
                   [&] { return postqueue::run(argc, argv); });
}

// qshape - shows how the queue is spread over domains and ages.

#include <unistd.h>

#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/queue_layout.h"
#include "config/params/instance.h"
#include "log/log.h"
#include "queue/inspect.h"
#include "queue/store.h"
#include "sys/fd.h"
#include "tool/tool.h"
#include "tools/qshape/envelope_summary.h"
#include "tools/qshape/tally.h"

namespace postrider::qshape {
namespace {

namespace params = config::params;

constexpr size_t kMinWidth = 80;

struct CommandLine {
  std::string config_directory;
  Shape shape;
  bool senders = false;
  uint64_t batch = 1000;    ///< -N: on a terminal, the table is shown each time so many messages were read.
  size_t top_domains = 20;  ///< -n: rows on a terminal.
  std::vector<std::string> queues;
};

[[noreturn]] void usage(int status) {
  std::string text =
      "usage: qshape [-s] [-p] [-m min_subdomains] [-l] [-b bucket_count] [-t bucket_time]\n"
      "              [-w terminal_width] [-N batch_msg_count] [-n batch_top_domains]\n"
      "              [-c config_directory] [queue_name ...]\n"
      "-s  counts messages by the domain of their sender, not recipients\n"
      "-p  adds parent domains, \".example.com\", that have min_subdomains (5) children\n"
      "-b, -t  the first bucket_count (10) minus one columns have messages up to bucket_time (5) minutes "
      "old,\n"
      "    twice as old, four times and so on; the last has the rest\n"
      "-l  each column is for bucket_time minutes more\n"
      "Queues are names below the queue directory or absolute paths; without any, incoming and active.\n";
  (void)sys::write_all(status == 0 ? STDOUT_FILENO : STDERR_FILENO, text);
  _exit(status);
}

/// A positive number, or nothing.
std::optional<int64_t> positive(const char* text) {
  auto number = parse_int(text);
  return number && *number > 0 ? number : std::nullopt;
}

CommandLine parse(int argc, char** argv) {
  constexpr int64_t kMaxBuckets = 60, kMaxMinutes = 10'000'000;
  CommandLine line;
  for (int option; (option = getopt(argc, argv, "b:c:hlm:n:N:pst:w:")) != -1;) {
    // Numbers that make no sense leave the default.
    int64_t number = optarg != nullptr ? positive(optarg).value_or(0) : 0;
    switch (option) {
      case 'b':
        if (number > 0) line.shape.buckets = static_cast<int>(std::min(number, kMaxBuckets));
        break;
      case 'c':
        line.config_directory = optarg;
        break;
      case 'h':
        usage(0);
      case 'l':
        line.shape.linear = true;
        break;
      case 'm':
        if (number > 0) line.shape.min_subdomains = static_cast<size_t>(number);
        break;
      case 'n':
        if (number > 0) line.top_domains = static_cast<size_t>(number);
        break;
      case 'N':
        if (number > 0) line.batch = static_cast<uint64_t>(number);
        break;
      case 'p':
        line.shape.parents = true;
        break;
      case 's':
        line.senders = true;
        break;
      case 't':
        if (number > 0) line.shape.bucket_minutes = std::min(number, kMaxMinutes);
        break;
      case 'w':
        line.shape.width = std::max(kMinWidth, static_cast<size_t>(std::min<int64_t>(number, 10'000)));
        break;
      default:
        usage(1);
    }
  }
  line.queues.assign(argv + optind, argv + argc);
  if (line.queues.empty()) line.queues = {"incoming", "active"};
  // Where ages double, more columns would pass any age.
  if (!line.shape.linear) line.shape.buckets = std::min(line.shape.buckets, 30);
  return line;
}

class Survey {
 public:
  Survey(const CommandLine& line, bool terminal)
      : line_(line), terminal_(terminal), tally_(shape(line, terminal)) {}

  void queue(const std::string& directory) {
    queue::Scan scan(queue::system_files(), directory);
    for (;;) {
      auto entry = scan.next();
      if (!entry) return log::warning("{}", entry.error().text);
      if (!*entry) return;
      message(**entry);
    }
  }

  void show() const { (void)sys::write_all(STDOUT_FILENO, tally_.table()); }

 private:
  static Shape shape(const CommandLine& line, bool terminal) {
    Shape out = line.shape;
    if (terminal) out.top_domains = line.top_domains;
    return out;
  }

  void message(const queue::Scan::Entry& entry) {
    if (!queue::inspect(queue::system_files(), entry).message) return;
    auto file = queue::system_files().open(entry.path, queue::OpenMode::read);
    if (!file) {
      if (!queue::is_missing(file.error())) log::warning("{}", file.error().text);
      return;
    }
    auto summary = summarize(**file, line_.senders);
    // A message that nobody waits for any more does not count.
    if (!summary || summary->recipients.empty()) return;
    int64_t age = now_ - summary->arrival;
    if (line_.senders) summary->recipients = {summary->sender};
    for (const std::string& recipient : summary->recipients)
      tally_.add(recipient, age);
    if (terminal_ && ++messages_ % line_.batch == 0) show_in_place();
  }

  /// Over what was shown before.
  void show_in_place() const {
    (void)sys::write_all(STDOUT_FILENO, "\033[H\033[J");
    show();
  }

  const CommandLine& line_;
  bool terminal_;
  Tally tally_;
  int64_t now_ = time(nullptr);
  uint64_t messages_ = 0;
};

int run(int argc, char** argv) {
  CommandLine line = parse(argc, argv);
  config::Config config = tool::load_config(line.config_directory, 0);
  std::string top = config.get(params::queue_directory);
  Survey survey(line, isatty(STDOUT_FILENO) != 0);
  for (const std::string& name : line.queues)
    survey.queue(name.starts_with('/') ? name : top + "/" + name);
  survey.show();
  return tool::kOk;
}

}  // namespace
}  // namespace postrider::qshape

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "qshape", .to_log = false}, [&] { return qshape::run(argc, argv); });
}

// postcat - shows what is in queue files, in a form for people.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/queue_layout.h"
#include "config/config.h"
#include "config/params/instance.h"
#include "log/log.h"
#include "queue/files.h"
#include "queue/store.h"
#include "service/environment.h"
#include "service/log_setup.h"
#include "sys/fd.h"
#include "tools/postcat/printer.h"

namespace postrider::postcat {
namespace {

namespace params = config::params;
using queue::QueueName;

struct CommandLine {
  std::string program;
  Options options;
  bool search_queue = false;  // -q: the names are queue ids.
  std::string config_directory;
  int verbose = 0;
  std::vector<std::string> names;
};

[[noreturn]] void usage(const CommandLine& line) {
  log::fatal(
      "usage: {} [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] "
      "[-h (header text)] [-q (access queue)] [-v] [file(s)...]",
      line.program);
}

void take_option(CommandLine& line, int option) {
  Options& options = line.options;
  switch (option) {
    case 'b':
      options.body = true;
      break;
    case 'c':
      line.config_directory = optarg;
      break;
    case 'd':
      options.decimal_type = true;
      break;
    case 'e':
      options.envelope = true;
      break;
    case 'f':
      options.file_name = true;
      break;
    case 'h':
      options.header = true;
      break;
    case 'o':
      options.offset = true;
      break;
    case 'q':
      line.search_queue = true;
      break;
    case 'r':
      options.raw = true;
      break;
    case 's': {
      auto start = parse_unsigned(optarg);
      if (!start || *start > INT64_MAX) log::fatal("bad offset: {}", optarg);
      options.start = *start;
      break;
    }
    case 'v':
      ++line.verbose;
      break;
    default:
      usage(line);
  }
}

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  line.program = argv[0];
  log::open({.ident = "postcat", .to_stderr = true});
  for (int option; (option = getopt(argc, argv, "+bc:defhoqrs:v")) != -1;)
    take_option(line, option);
  Options& options = line.options;
  if (!options.envelope && !options.header && !options.body)
    options.envelope = options.header = options.body = true;
  options.verbose = line.verbose > 0;
  line.names.assign(argv + optind, argv + argc);
  return line;
}

/// Standard input, which may be a pipe: it can only be read onwards.
class Input final : public queue::ByteSource {
 public:
  Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
    while (begin_ + kept_.size() < offset && TRY(fill()))
      continue;
    if (offset < begin_) return fail(ErrorKind::invalid, "input is not seekable");
    while (begin_ + kept_.size() < offset + size && TRY(fill()))
      continue;
    if (offset >= begin_ + kept_.size()) return 0;
    size_t count = kept_.copy(data, size, offset - begin_);
    // The caller goes on behind what it got, after a look at the first byte.
    if (offset > begin_ + kKeep) {
      kept_.erase(0, offset - begin_ - kKeep);
      begin_ = offset - kKeep;
    }
    return count;
  }

 private:
  static constexpr size_t kKeep = 64 * 1024;

  Result<bool> fill() {
    char block[4096];
    size_t count = TRY(sys::read_some(STDIN_FILENO, block, sizeof block));
    kept_.append(block, count);
    return count > 0;
  }

  std::string kept_;
  uint64_t begin_ = 0;  // Offset of kept_[0].
};

void print(const CommandLine& line, queue::ByteSource& source, const std::string& name) {
  Output output;
  output.text = [](std::string_view text) { fwrite(text.data(), 1, text.size(), stdout); };
  output.warning = [](std::string_view text) {
    fflush(stdout);
    log::warning("{}", text);
  };
  auto printed = Printer(source, name, line.options, output).run();
  fflush(stdout);
  if (!printed) log::fatal("{}", printed.error().text);
}

/// Finds queue files by their ids, in whatever queue they are.
class QueueSearch {
 public:
  explicit QueueSearch(const config::Config& config) {
    std::string directory = config.get(params::queue_directory);
    if (::chdir(directory.c_str()) < 0) log::fatal("{}", Error::from_errno("chdir " + directory, errno).text);
    store_.emplace(queue::system_files(), clients::queue_layout(config));
  }

  void print(const CommandLine& line, const std::string& id) const {
    if (!queue::is_valid_id(id)) log::fatal("bad mail queue ID: {}", id);
    // Twice, since a file may move into a queue that was looked at before.
    int error = ENOENT;
    for (int tries = 0; tries < 2; ++tries) {
      for (QueueName queue : {QueueName::maildrop, QueueName::incoming, QueueName::active,
                              QueueName::deferred, QueueName::hold, QueueName::saved}) {
        auto file = store_->open(queue, id, queue::OpenMode::read);
        if (file) return postcat::print(line, **file, store_->path(queue, id));
        if (!queue::is_missing(file.error())) error = file.error().code;
      }
    }
    log::fatal("{}", Error::from_errno("open queue file " + id, error).text);
  }

 private:
  std::optional<queue::Store> store_;
};

void run(const CommandLine& line) {
  auto config = config::Config::load({.directory = line.config_directory, .process_name = "postcat"});
  if (!config) log::fatal("{}", config.error().text);
  service::check_config(*config);
  service::set_named_environment(*config);
  if (line.names.empty()) {
    Input input;
    return print(line, input, "stdin");
  }
  std::optional<QueueSearch> search;
  if (line.search_queue) search.emplace(*config);
  for (const std::string& name : line.names) {
    if (search) {
      search->print(line, name);
      continue;
    }
    auto file = queue::system_files().open(name, queue::OpenMode::read);
    if (!file) log::fatal("{}", file.error().text);
    print(line, **file, name);
  }
}

}  // namespace
}  // namespace postrider::postcat

int main(int argc, char** argv) {
  using namespace postrider;
  try {
    postcat::run(postcat::parse(argc, argv));
  } catch (const config::ConfigError& error) {
    service::fatal_config(error);
  }
  return 0;
}

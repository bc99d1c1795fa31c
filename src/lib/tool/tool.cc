#include "tool/tool.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "log/log.h"
#include "service/environment.h"
#include "service/log_setup.h"
#include "sys/file.h"
#include "sys/process.h"
#include "tool/overrides.h"

namespace postrider::tool {

namespace params = config::params;

namespace {

Traits current{.name = "postrider"};  // Of this process; set by run().

std::string_view name_of(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

[[noreturn]] void fatal_config(const config::ConfigError& error) {
  if (!error.warning.empty()) log::warning("{}", error.warning);
  if (std::string hint = error.hint(); !hint.empty()) log::error("{}", hint);
  fail_text(error.what());
}

}  // namespace

void fatal_text(int status, std::string_view text) {
  log::write(log::Severity::fatal, text);
  _exit(status);
}

void fail_text(std::string_view text) {
  fatal_text(current.failure, text);
}

int run(const Traits& traits, const std::function<int()>& body) {
  sys::open_standard_descriptors();
  signal(SIGPIPE, SIG_IGN);
  current = traits;
  log::open({.ident = fmt::format("postfix/{}", traits.name),
             .to_syslog = traits.to_log,
             .to_stderr = true,
             .stderr_name = traits.called_as,
             .connect_late = true});
  try {
    int status = body();
    log::flush();
    return status;
  } catch (const config::ConfigError& error) {
    fatal_config(error);
  } catch (const std::exception& error) {
    fail_text(error.what());
  }
}

namespace {

config::Config load(config::LoadOptions options, int verbose) {
  bool borrowed = current.may_borrow_rights && sys::has_borrowed_rights();
  options.process_name = current.name;
  options.only_listed_directories = options.only_listed_directories || borrowed;
  auto config = config::Config::load(options);
  if (!config) {
    // One sentence for what was refused, one for what to do about it.
    std::string_view text = config.error().text;
    size_t advice = config.error().kind == ErrorKind::denied ? text.find("; ") : text.npos;
    if (advice == text.npos) fail_text(text);
    log::error("{}", text.substr(0, advice));
    fail_text(text.substr(advice + 2));
  }
  if (borrowed)
    sys::set_environment(imported_environment(*config));
  else
    service::set_named_environment(*config);
  service::open_log(*config, current.name,
                    {.to_stderr = true, .to_log = current.to_log, .verbose = verbose, .connect_late = true});
  if (!current.called_as.empty()) {
    log::Settings settings = log::settings();
    settings.stderr_name = current.called_as;
    log::open(std::move(settings));
  }
  for (const std::string& warning : config->warnings())
    log::warning("{}", warning);
  service::check_config(*config);
  return std::move(*config);
}

}  // namespace

config::Config load_config(const std::string& directory, int verbose, bool only_listed) {
  return load({.directory = directory, .only_listed_directories = only_listed}, verbose);
}

config::Config load_config_with(const std::string& directory, int verbose,
                                std::vector<config::Assignment> overrides) {
  return load({.directory = directory, .overrides = std::move(overrides)}, verbose);
}

std::vector<std::string> imported_environment(const config::Config& config) {
  std::string list = config.get(params::import_environment);
  std::vector<std::string> out;
  for (std::string_view word : split_braced(list, kListSeparators)) {
    if (word.starts_with('{') && word.ends_with('}')) word = trim(word.substr(1, word.size() - 2));
    if (word.find('=') != word.npos) {
      out.emplace_back(word);
    } else if (const char* value = std::getenv(std::string(word).c_str())) {
      out.push_back(fmt::format("{}={}", word, value));
    }
  }
  // Programs that are started from here work with the same configuration.
  std::erase_if(out, [](const std::string& entry) { return name_of(entry) == "MAIL_CONFIG"; });
  out.push_back("MAIL_CONFIG=" + config.directory());
  return out;
}

Result<pid_t> spawn(const config::Config& config, const sys::SpawnRequest& request) {
  int64_t attempts = config.get(config::params::fork_attempts);
  for (int64_t attempt = 1;; ++attempt) {
    auto pid = sys::spawn(request);
    if (pid || attempt >= attempts || pid.error().code != EAGAIN) return pid;
    log::warning("{}", pid.error().text);
    ::sleep(static_cast<unsigned>(config.get(config::params::fork_delay).count()));
  }
}

void enter_queue_directory(const config::Config& config) {
  auto done = sys::change_directory(config.get(params::queue_directory));
  if (!done) fail_text(done.error().text);
}

void become(const std::string& directory, const std::vector<std::string>& argv) {
  std::vector<std::string> command = argv;
  command[0] = directory + "/" + argv[0];
  log::flush();
  fail_text(sys::replace_process(command).text);
}

}  // namespace postrider::tool

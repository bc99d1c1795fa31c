// postconf: shows and edits the configuration.
#include <cstdio>
#include <exception>

#include "config/main_cf.h"
#include "config/paths.h"
#include "sys/file.h"
#include "tools/postconf/coverage.h"
#include "tools/postconf/edit_files.h"
#include "tools/postconf/facts.h"
#include "tools/postconf/show.h"
#include "tools/postconf/templates.h"

namespace postrider::postconf {
namespace {

template <typename Lines>
void print_lines(const Lines& lines) {
  for (std::string_view line : lines)
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
}

bool about_master(Subject subject) {
  return subject == Subject::master_entries || subject == Subject::master_fields ||
         subject == Subject::master_params;
}

/// Subjects that need no configuration.
bool show_facts(const Options& options) {
  switch (options.subject) {
    case Subject::server_sasl:
      print_lines(server_sasl_types());
      return true;
    case Subject::client_sasl:
      print_lines(client_sasl_types());
      return true;
    case Subject::lock_types:
      print_lines(lock_types());
      return true;
    case Subject::coverage:
      show_coverage(options);
      return true;
    case Subject::tls:
      show_tls(options.tls_topic);
      return true;
    default:
      return false;
  }
}

std::string directory_of(const Options& options) {
  if (!options.directory.empty()) return options.directory;
  const char* environment = std::getenv("MAIL_CONFIG");
  return environment && *environment ? environment : config::paths::config_directory;
}

config::Config load(const Options& options, const std::string& directory) {
  config::LoadOptions request;
  request.process_name = "postconf";
  request.defaults_only = options.defaults;
  // The defaults are those of the build, whatever directory is looked at.
  request.directory = options.defaults ? config::paths::config_directory : directory;
  request.overrides = options.overrides;
  auto config = config::Config::load(request);
  if (!config) fatal(config.error().text);
  for (const std::string& warning : config->warnings())
    warn(warning);
  return *config;
}

std::vector<MasterEntry> load_master(const Options& options, const std::string& directory) {
  std::string path = directory + "/master.cf";
  auto text = sys::read_file(path, config::kMaxConfigFile);
  if (!text) {
    if (about_master(options.subject)) fatal(text.error().text);
    warn(text.error().text);
    return {};
  }
  std::vector<std::string> warnings;
  auto entries = parse_entries(*text, path, warnings);
  for (const std::string& warning : warnings)
    warn(warning);
  if (!entries) fatal(entries.error().text);
  return std::move(*entries);
}

void run(const Options& options) {
  if (show_facts(options)) return;
  std::string directory = directory_of(options);
  bool master = about_master(options.subject);
  if (options.edit != Edit::none) {
    if (master)
      edit_master(options, directory);
    else
      edit_main(options, directory);
    return;
  }
  // A file that the command is about comes first.
  std::vector<MasterEntry> entries;
  if (master) entries = load_master(options, directory);
  config::Config config = load(options, directory);
  if (about_templates(options)) return show_templates(options, config);
  if (options.subject == Subject::table_types) return print_lines(table_types(config));
  if (!master) entries = load_master(options, directory);
  Catalogue catalogue(config, entries, options.defaults);
  if (master)
    show_master(options, catalogue, entries);
  else
    show_main(options, config, catalogue);
  check_unused(options, config, catalogue, entries);
}

}  // namespace
}  // namespace postrider::postconf

int main(int argc, char** argv) {
  using namespace postrider::postconf;
  // The size of a block that Postfix writes at once: of what a fatal error leaves unsaid, as much is seen.
  constexpr size_t kBlock = 4096;
  std::setvbuf(stdout, nullptr, _IOFBF, kBlock);
  set_program_name(argc > 0 ? argv[0] : "postconf");
  auto options = parse_options(argc, argv);
  if (!options) fatal(options.error().text);
  try {
    run(*options);
  } catch (const postrider::config::ConfigError& error) {
    fatal(error.what());
  }
  if (std::fflush(stdout) != 0) fatal("write error");
  return 0;
}

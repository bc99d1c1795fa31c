#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "config/paths.h"
#include "config/table.h"
#include "tools/postconf/print.h"
#include "tools/postconf/show.h"

namespace postrider::postconf {
namespace {

bool in_class(const Options& options, Kind kind) {
  switch (kind) {
    case Kind::builtin:
      return options.builtin;
    case Kind::service:
      return options.service;
    case Kind::user:
      return options.user;
  }
  return false;
}

/// A directory that was asked for counts as set.
bool is_set(const config::Config& config, std::string_view name) {
  return config.is_set(name) ||
         (name == "config_directory" && config.directory() != config::paths::config_directory);
}

void show(const Options& options, const config::Config& config, const Catalogue& catalogue,
          std::string_view name) {
  if (options.only_set && (!is_set(config, name) || config::is_read_only(name))) return;
  std::string value = catalogue.text(name).value_or("");
  if (options.expand && !Catalogue::is_raw(name)) {
    value = catalogue.expand_or_end(value, nullptr);
  }
  print(format_value(options, name, value));
}

}  // namespace

void show_main(const Options& options, const config::Config& config, const Catalogue& catalogue) {
  for (const std::string& name : options.arguments) {
    if (catalogue.contains(name) || config::find_param(name))
      show(options, config, catalogue, name);
    else
      warn(fmt::format("{}: unknown parameter", name));
  }
  if (!options.arguments.empty()) return;
  for (const auto& [name, kind] : catalogue.names())
    if (in_class(options, kind)) show(options, config, catalogue, name);
}

namespace {

/// Looks at settings that nothing uses, and at names that will go away.
class Checker {
 public:
  explicit Checker(const config::Config& config) : config_(config) {}

  void check(std::string_view file, std::string_view name, std::string_view value, bool used) {
    std::string path = fmt::format("{}/{}", config_.directory(), file);
    auto rows = config::deprecated_params();
    auto row = std::ranges::find(rows, name, &config::Deprecation::name);
    if (row != rows.end()) {
      found_ = true;
      constexpr std::string_view kWillGo = "{}: support for parameter \"{}\" will be removed; instead, {}";
      constexpr std::string_view kGone = "{}: support for parameter {} has been removed; instead, {}";
      warn(fmt::format(fmt::runtime(used ? kWillGo : kGone), path, name, row->advice));
    } else if (!used) {
      warn(fmt::format("{}: unused parameter: {}={}", path, name, value));
    }
  }
  void finish() const {
    if (found_) warn("See https://www.postfix.org/DEPRECATION_README.html for details");
  }

 private:
  const config::Config& config_;
  bool found_ = false;
};

}  // namespace

void check_unused(const Options& options, const config::Config& config, const Catalogue& catalogue,
                  const std::vector<MasterEntry>& entries) {
  std::fflush(stdout);
  if (options.quiet || options.defaults) return;
  Checker checker(config);
  if (options.subject == Subject::main_parameters) {
    for (const std::string& name : config.set_names())
      checker.check("main.cf", name, config.set_text(name), catalogue.contains(name));
  }
  for (const MasterEntry& entry : entries)
    for (const auto& [name, value] : entry.overrides)
      checker.check("master.cf", name, value, catalogue.used_by(entry, name));
  checker.finish();
}

}  // namespace postrider::postconf

#include "tools/postconf/coverage.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "config/table.h"
#include "tools/postconf/print.h"

namespace postrider::postconf {

namespace {

/// The files, in tests/, that cover a parameter; made by tests/support/parameter_tests.py. Sorted by name.
constexpr struct {
  std::string_view name, files;
} kTests[] = {
#include "tools/postconf/parameter_tests.inc"
};

std::string_view tests_of(std::string_view name) {
  auto found = std::ranges::find(kTests, name, [](const auto& row) { return row.name; });
  return found == std::end(kTests) ? std::string_view() : found->files;
}

std::string json(std::string_view name, std::string_view state, std::string_view files) {
  std::string list;
  for (std::string_view file : split_any(files, " "))
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", file);
  return fmt::format("{{\"name\": \"{}\", \"state\": \"{}\", \"tests\": [{}]}}\n", name, state, list);
}

}  // namespace

void show_coverage(const Options& options) {
  for (const std::string& name : options.arguments)
    if (!config::find_param(name)) warn(fmt::format("{}: unknown parameter", name));
  for (const config::ParamInfo* info : config::all_params()) {
    bool wanted = options.arguments.empty() ||
                  std::ranges::find(options.arguments, info->name) != options.arguments.end();
    if (!wanted) continue;
    std::string_view state = info->state == config::ParamState::in_force ? "in_force" : "not_yet";
    std::string_view files = tests_of(info->name);
    print(options.json ? json(info->name, state, files)
                       : fmt::format("{} {} {}\n", info->name, state, files.empty() ? "-" : files));
  }
}

}  // namespace postrider::postconf

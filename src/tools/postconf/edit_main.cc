#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/edit.h"
#include "tools/postconf/edit_files.h"

namespace postrider::postconf {
namespace {

using config::MainCfAction;
using config::MainCfChange;

MainCfChange to_change(const Options& options, const std::string& argument) {
  if (argument.find('\n') != std::string::npos) fatal("-e, -X, or -# accepts no multi-line input");
  std::string_view text = trim(argument);
  if (text.starts_with('#')) fatal("-e, -X, or -# accepts no comment input");
  if (options.edit == Edit::set) {
    auto assignment = config::parse_assignment(argument);
    if (!assignment) fatal(assignment.error().text);
    return {std::move(assignment->name), std::move(assignment->value)};
  }
  if (text.empty()) fatal("-X or -# requires non-blank parameter names");
  if (text.find('=') != std::string_view::npos) fatal("-X or -# requires parameter names without value");
  return {std::string(text), ""};
}

MainCfAction action_of(Edit edit) {
  switch (edit) {
    case Edit::remove:
      return MainCfAction::remove;
    case Edit::comment_out:
      return MainCfAction::comment_out;
    default:
      return MainCfAction::set;
  }
}

}  // namespace

void edit_main(const Options& options, const std::string& directory) {
  if (options.arguments.empty())
    fatal(options.edit == Edit::set ? "-e requires name=value argument" : "missing service argument");
  std::vector<MainCfChange> changes;
  for (const std::string& argument : options.arguments) {
    MainCfChange change = to_change(options, argument);
    auto earlier = std::ranges::find(changes, change.name, &MainCfChange::name);
    if (earlier != changes.end()) {
      if (options.edit == Edit::set)
        warn(fmt::format("ignoring earlier request: '{} = {}'", earlier->name, earlier->value));
      *earlier = std::move(change);
    } else {
      changes.push_back(std::move(change));
    }
  }
  std::string path = directory + "/main.cf";
  std::vector<std::string> warnings;
  auto edited = config::edit_file(path, [&](std::string_view content) {
    return config::edit_main_cf(content, path, action_of(options.edit), changes, warnings);
  });
  for (const std::string& warning : warnings)
    warn(warning);
  if (!edited) fatal(edited.error().text);
}

}  // namespace postrider::postconf

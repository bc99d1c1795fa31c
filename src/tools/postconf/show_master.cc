#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "config/value_text.h"
#include "tools/postconf/print.h"
#include "tools/postconf/show.h"

namespace postrider::postconf {
namespace {

using config::kMasterCommand;
using config::kMasterFields;

/// The entry with the values of its -o options expanded, also of parameters that the daemons take as they
/// are.
MasterEntry expanded_entry(const Catalogue& catalogue, const MasterEntry& entry) {
  MasterEntry out = entry;
  for (const OverrideAt& found : overrides_in(entry.arguments)) {
    auto parsed = config::parse_assignment(entry.arguments[found.value]);
    std::string value = catalogue.expand_or_end(parsed->value, &entry);
    out.arguments[found.value] = fmt::format("{}={}", parsed->name, value);
  }
  return out;
}

void show_entry(const Options& options, const MasterEntry& entry) {
  if (options.json)
    print(format_json(entry.id(), entry_text(entry, false, Braces::as_postfix)));
  else
    print(entry_text(entry, options.fold, Braces::as_postfix) + '\n');
}

void show_field(const Options& options, const MasterEntry& entry, size_t column) {
  std::string name = fmt::format("{}/{}", entry.id(), kMasterFields[column]);
  if (column < kMasterCommand || options.json || options.hide_value) {
    std::string value =
        column == kMasterCommand ? entry.command_line(false, 0, Braces::as_postfix) : entry.fields[column];
    print(format_value(options, name, value));
    return;
  }
  std::string start = options.hide_name ? "" : name + " = ";
  print(fmt::format("{}{}\n", start, entry.command_line(options.fold, start.size(), Braces::as_postfix)));
}

size_t field_number(std::string_view name) {
  auto found = std::ranges::find(kMasterFields, name);
  if (found == std::end(kMasterFields)) fatal(fmt::format("invalid service attribute name: \"{}\"", name));
  return static_cast<size_t>(found - kMasterFields);
}

void show_fields(const Options& options, const MasterEntry& entry, const Selector& selector) {
  if (selector.parts[2] != "*") {
    show_field(options, entry, field_number(selector.parts[2]));
    return;
  }
  for (size_t column = 0; column <= kMasterCommand; ++column)
    show_field(options, entry, column);
}

/// Shows the parameters of one entry that the selector names; false when there are none.
bool show_params(const Options& options, const Catalogue& catalogue, const MasterEntry& entry,
                 const Selector& selector) {
  std::map<std::string_view, std::string> shown;
  for (const auto& [name, value] : entry.overrides)
    if (selector.matches_third(name) && !config::is_read_only(name)) shown[name] = value;
  if (options.all_of_master) {
    for (const auto& [name, kind] : catalogue.names())
      if (selector.matches_third(name)) shown.try_emplace(name, catalogue.text(entry, name).value_or(""));
  }
  for (const auto& [name, value] : shown) {
    std::string text = options.expand ? catalogue.expand_or_end(value, &entry) : value;
    print(format_value(options, fmt::format("{}/{}", entry.id(), name), text));
  }
  return !shown.empty();
}

}  // namespace

Selector::Selector(std::string_view pattern) : ok(!pattern.starts_with('/')) {
  for (std::string_view part : split_any(pattern, "/")) {
    if (given < std::size(parts)) parts[given] = part;
    if (part != "*" && part.find('*') != std::string_view::npos) ok = false;
    ++given;
  }
}

bool Selector::matches(std::string_view name, std::string_view type) const {
  return (parts[0] == "*" || parts[0] == name) && (parts[1] == "*" || parts[1] == type);
}

namespace {

/// What a command shows: the parts that a pattern of it may have, and what is said when it has others.
struct Pattern {
  size_t parts;
  std::string_view complaint;
};

Pattern pattern_of(Subject subject) {
  switch (subject) {
    case Subject::master_entries:
      return {2, "-M option requires service_name[/type]"};
    case Subject::master_fields:
      return {3, "-F option requires service_name[/type[/field]]"};
    default:
      return {3, "-P option requires service_name[/type[/parameter]]"};
  }
}

std::vector<Selector> to_selectors(const Options& options) {
  if (options.arguments.empty()) return {Selector("*")};
  Pattern allowed = pattern_of(options.subject);
  std::vector<Selector> out;
  for (const std::string& argument : options.arguments) {
    const Selector& selector = out.emplace_back(argument);
    if (!selector.ok || selector.given == 0 || selector.given > allowed.parts) fatal(allowed.complaint);
    if (options.subject == Subject::master_fields && selector.parts[2] != "*")
      (void)field_number(selector.parts[2]);
  }
  return out;
}

}  // namespace

void show_master(const Options& options, const Catalogue& catalogue,
                 const std::vector<MasterEntry>& entries) {
  std::vector<Selector> selectors = to_selectors(options);
  std::vector<bool> found(selectors.size());
  bool params = options.subject == Subject::master_params;
  for (const MasterEntry& entry : entries) {
    MasterEntry shown = options.expand && !params ? expanded_entry(catalogue, entry) : entry;
    for (size_t i = 0; i < selectors.size(); ++i) {
      if (!selectors[i].matches(entry.name(), entry.type())) continue;
      if (options.subject == Subject::master_entries) show_entry(options, shown);
      if (options.subject == Subject::master_fields) show_fields(options, shown, selectors[i]);
      if (!params || show_params(options, catalogue, entry, selectors[i])) found[i] = true;
    }
  }
  for (size_t i = 0; i < options.arguments.size(); ++i)
    if (!found[i]) warn(fmt::format("unmatched request: \"{}\"", options.arguments[i]));
}

}  // namespace postrider::postconf

// What header_checks and their kin answer.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "tools/lint/checks.h"
#include "tools/lint/nearest.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

constexpr std::string_view kActions[] = {
    "bcc",  "discard", "dunno",   "filter",   "hold",   "ignore", "info", "ok",
    "pass", "prepend", "replace", "redirect", "reject", "strip",  "warn",
};

}  // namespace

void check_content(const Model& model, Report& report) {
  std::set<std::string> seen;
  for (const TableUse& use : table_uses(model)) {
    if (!use.parameter.ends_with("_checks") || use.type.empty() || !seen.insert(use.spec()).second) continue;
    for (const TableEntry& entry : entries_of(model, use.type, use.name)) {
      std::string_view value = entry.value;
      std::string action = lowercase(value.substr(0, value.find_first_of(" \t")));
      bool known = std::ranges::find(kActions, action) != std::end(kActions);
      if (known || action.empty() || action.find('$') != std::string::npos) continue;
      std::string_view meant = nearest(action, kActions);
      Place place = entry.line > 0 ? Place{table_path(model, use.name), entry.line} : use.place;
      report.add(codes::content_action, place,
                 fmt::format("{} is no action of {}; what it matches is let through with a warning",
                             value.substr(0, value.find_first_of(" \t")), use.parameter),
                 meant.empty() ? std::string("write one of the actions of header_checks(5)")
                               : fmt::format("write {} if that was meant", uppercase(meant)));
    }
  }
}

}  // namespace postrider::lint

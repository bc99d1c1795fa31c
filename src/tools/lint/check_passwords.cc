// Files with passwords that every user of the system can read.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "sys/file.h"
#include "tools/lint/checks.h"
#include "tools/lint/secrets.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

void tell(Report& report, const std::string& path, int line) {
  report.add(codes::password_readable, {path, line},
             fmt::format("everybody on this system can read the passwords in {}", path),
             fmt::format("run \"chmod o-rwx {}\"", path));
}

/// The settings of a database table.
void check_settings(const TableUse& use, const std::string& path, Report& report) {
  constexpr std::string_view kNames[] = {"password", "bind_pw"};
  if (!everybody_can_read(path)) return;
  auto text = sys::read_file(path, config::kMaxConfigFile);
  auto file = text ? config::parse_main_cf(*text, path) : std::unexpected(std::move(text).error());
  if (!file || use.type == "sqlite") return;
  for (const config::MainCfEntry& entry : file->entries)
    if (std::ranges::find(kNames, entry.name) != std::end(kNames) && !entry.value.empty())
      tell(report, path, entry.line);
}

}  // namespace

void check_passwords(const Model& model, Report& report) {
  std::set<std::string> seen;
  for (const TableUse& use : table_uses(model)) {
    if (!use.name.starts_with('/') || !seen.insert(use.spec()).second) continue;
    if (use.parameter.ends_with("_sasl_password_maps")) {
      std::string_view suffix = index_suffix(use.type);
      bool text = is_text_type(use.type);
      if ((text || !suffix.empty()) && everybody_can_read(use.name)) tell(report, use.name, 0);
      std::string index = fmt::format("{}{}", use.name, suffix);
      if (!suffix.empty() && everybody_can_read(index)) tell(report, index, 0);
    }
    for (const char* type : {"mysql", "pgsql", "ldap", "redis"})
      if (use.type == type) check_settings(use, use.name, report);
  }
}

}  // namespace postrider::lint

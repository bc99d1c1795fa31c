#include "tools/postconf/catalogue.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "config/families.h"
#include "config/macro.h"
#include "config/table.h"
#include "sys/file.h"
#include "tools/postconf/database.h"
#include "tools/postconf/options.h"
#include "tools/postconf/order.h"

namespace postrider::postconf {

namespace {

constexpr std::string_view kClasses = "smtpd_restriction_classes";

}  // namespace

Catalogue::Catalogue(const config::Config& config, const std::vector<MasterEntry>& entries,
                     bool defaults_only)
    : config_(config), entries_(entries) {
  for (const MasterEntry& entry : entries_)
    for (const auto& [name, value] : entry.overrides)
      set_by_master_.insert(name);
  add_builtin();
  add_services();
  scan_defaults();
  if (defaults_only) return;
  for (const MasterEntry& entry : entries_)
    scan_entry(entry);
  scan_main_cf();
  add_user_names();
}

bool Catalogue::is_raw(std::string_view name) {
  const config::ParamInfo* info = config::find_param(name);
  return info && info->type == config::ParamType::raw && info->default_kind != config::ParamDefault::none;
}

void Catalogue::add_builtin() {
  for (const config::ParamInfo* info : config::all_params()) {
    bool old = info->default_kind == config::ParamDefault::none;
    if (!old)
      names_[std::string(info->name)] = Kind::builtin;
    else if (config_.is_set(info->name) || set_by_master_.contains(info->name))
      names_[std::string(info->name)] = Kind::user;
  }
}

void Catalogue::add_services() {
  for (const MasterEntry& entry : entries_) {
    for (const config::Family& family : config::families_of_command(entry.command())) {
      std::string name = fmt::format("{}{}", entry.name(), family.suffix);
      // Some have a row in the table too, for a default of their own: local_destination_recipient_limit.
      names_[name] = Kind::service;
      if (!config::find_param(name)) service_defaults_[name] = fmt::format("${}", family.fallback);
    }
  }
}

void Catalogue::scan_defaults() {
  for (const config::ParamInfo* info : config::all_params()) {
    if (info->type == config::ParamType::raw || config_.is_set(info->name)) continue;
    (void)config::visit_macros(info->fallback, [this](std::string_view name) { references_.emplace(name); });
  }
}

void Catalogue::scan_entry(const MasterEntry& entry) {
  auto classes = entry.overrides.find(kClasses);
  if (classes != entry.overrides.end()) add_classes(classes->second, &entry);
  for (const std::string& name : visiting_order(entry.override_names))
    scan_setting(name, entry.overrides.at(name), &entry);
}

void Catalogue::scan_main_cf() {
  if (config_.is_set(kClasses)) add_classes(config_.set_text(kClasses), nullptr);
  for (const std::string& name : main_cf_order(config_))
    scan_setting(name, config_.set_text(name), nullptr);
}

void Catalogue::scan_setting(const std::string& name, std::string_view value, Scope scope) {
  if (config::is_read_only(name)) {
    warn(fmt::format("{}: read-only parameter assignment: {}={}", file_of(scope), name, value));
    return;
  }
  if (is_raw(name)) return;
  auto visited = config::visit_macros(value, [&](std::string_view found) { refer_or_warn(found, scope); });
  if (!visited) warn(visited.error().text);
  if (may_list_tables(name)) add_databases(value, scope);
}

/// Other values are free text: a name of the user's may be anything.
bool Catalogue::may_list_tables(std::string_view name) const {
  auto found = names_.find(name);
  return found != names_.end() && found->second != Kind::user;
}

/// The words of smtpd_restriction_classes are names of parameters.
void Catalogue::add_classes(std::string_view list, Scope scope) {
  // Of what the list refers to only settings count: a built-in default names no class of the user's.
  config::MacroLookup set_only = [&](std::string_view name) -> std::optional<std::string> {
    if (scope) {
      auto own = scope->overrides.find(name);
      return own == scope->overrides.end() ? std::nullopt : std::optional(own->second);
    }
    return config_.is_set(name) ? std::optional(config_.set_text(name)) : std::nullopt;
  };
  auto expansion = config::expand_macros(list, set_only, {.recursive = true});
  std::string expanded = expansion ? expansion->text : std::string();
  for (std::string_view word : split_any(expanded, kListSeparators))
    refer_or_warn(word, scope);
}

void Catalogue::add_databases(std::string_view value, Scope scope) {
  std::string expanded = expand_or_end(value, scope);
  DatabaseVisitor visitor;
  visitor.table = [&](std::string_view type, std::string_view name) {
    if (name.starts_with('.')) return;
    if (name.starts_with('/')) {
      std::string path(name);
      if (checked_files_.insert(fmt::format("{}:{}", type, path)).second) check_database_file(type, path);
      return;
    }
    for (std::string_view parameter : database_parameters(type))
      refer(fmt::format("{}_{}", name, parameter), scope);
  };
  visitor.problem = [&](std::string_view problem) { warn(fmt::format("{}: {}", entry_of(scope), problem)); };
  visitor.comment = [&](std::string_view word, std::string_view rest) {
    warn(fmt::format("{}: #comment after other text is not allowed: {} {}...", entry_of(scope), word,
                     rest.substr(0, 20)));
  };
  visit_databases(expanded, visitor);
}

void Catalogue::add_user_names() {
  for (const std::string& name : config_.set_names())
    if (references_.contains(name) || master_references_.contains(name)) names_.try_emplace(name, Kind::user);
}

/// A name that an entry sets itself is not the one of main.cf.
void Catalogue::refer(std::string_view name, Scope scope) {
  if (!scope)
    references_.emplace(name);
  else if (scope->overrides.contains(name))
    entry_references_[scope].emplace(name);
  else
    master_references_.emplace(name);
}

void Catalogue::refer_or_warn(std::string_view name, Scope scope) {
  refer(name, scope);
  bool set =
      config_.is_set(name) || (scope ? scope->overrides.contains(name) : set_by_master_.contains(name));
  if (!set && !names_.contains(name) && !config::find_param(name))
    warn(fmt::format("{}: undefined parameter: {}", file_of(scope), name));
}

/// What is inside of lists of tables is told without the directory, as Postfix has it.
std::string Catalogue::entry_of(Scope scope) {
  return scope ? "master.cf:" + scope->id() : "main.cf";
}

std::string Catalogue::file_of(Scope scope) const {
  return fmt::format("{}/{}", config_.directory(), scope ? "master.cf" : "main.cf");
}

bool Catalogue::used_by(const MasterEntry& entry, std::string_view name) const {
  if (names_.contains(name) || config::find_param(name) || references_.contains(name)) return true;
  auto mine = entry_references_.find(&entry);
  return mine != entry_references_.end() && mine->second.contains(name);
}

std::vector<std::string> main_cf_order(const config::Config& config) {
  constexpr std::string_view kFirst = "config_directory";  // Known before its main.cf is read.
  std::vector<std::pair<int, std::string>> by_line;
  for (std::string& name : config.set_names()) {
    int line = config.source(name).line;
    if (line == 0) line = std::numeric_limits<int>::max();  // An -o option.
    if (name != kFirst) by_line.emplace_back(line, std::move(name));
  }
  std::ranges::stable_sort(by_line, {}, &std::pair<int, std::string>::first);
  std::vector<std::string> names{std::string(kFirst)};
  for (auto& [line, name] : by_line)
    names.push_back(std::move(name));
  names = visiting_order(names);
  if (!config.is_set(kFirst)) std::erase(names, kFirst);
  return names;
}

std::optional<std::string> Catalogue::text(std::string_view name) const {
  try {
    if (auto found = config_.text(name)) return found;
  } catch (const config::ConfigError& error) {
    // mynetworks cannot be found out.
    fatal(error.what());
  }
  auto service = service_defaults_.find(name);
  if (service == service_defaults_.end()) return std::nullopt;
  return service->second;
}

std::optional<std::string> Catalogue::text(const MasterEntry& entry, std::string_view name) const {
  auto own = entry.overrides.find(name);
  if (own != entry.overrides.end()) return own->second;
  if (name == "service_name") return entry.name();
  if (name == "process_name") return std::string(sys::base_name(entry.command()));
  return text(name);
}

std::string Catalogue::expand_or_end(std::string_view value, const MasterEntry* entry) const {
  auto expanded = expand(value, entry);
  if (expanded) return std::move(*expanded);
  warn(expanded.error().text);
  fatal("macro processing error");
}

Result<std::string> Catalogue::expand(std::string_view value, const MasterEntry* entry) const {
  config::MacroLookup lookup = [&](std::string_view name) { return entry ? text(*entry, name) : text(name); };
  return TRY(config::expand_macros(value, lookup, {.recursive = true})).text;
}

}  // namespace postrider::postconf

#include "tools/postconf/catalogue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/families.h"
#include "config/macro.h"
#include "config/table.h"
#include "sys/file.h"
#include "tools/postconf/database.h"
#include "tools/postconf/options.h"

namespace postrider::postconf {

namespace {

constexpr std::string_view kClasses = "smtpd_restriction_classes";

}  // namespace

Catalogue::Catalogue(const config::Config& config, const std::vector<MasterEntry>& entries,
                     bool defaults_only)
    : config_(config), entries_(entries) {
  add_builtin();
  add_services();
  scan_defaults();
  if (defaults_only) return;
  for (const MasterEntry& entry : entries_)
    for (const auto& [name, value] : entry.overrides)
      set_by_master_.insert(name);
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
    else if (config_.is_set(info->name))
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

void Catalogue::scan_main_cf() {
  for (const std::string& name : config_.set_names()) {
    std::string value = text(name).value_or("");
    check_comment(value);
    if (is_raw(name)) continue;
    auto visited = config::visit_macros(value, [this](std::string_view reference) {
      references_.emplace(reference);
      check_reference(reference, "main.cf", nullptr);
    });
    if (!visited) {
      warn(visited.error().text);
      continue;
    }
    if (name == kClasses) add_classes(value, nullptr, references_);
    add_databases(value, nullptr, references_);
  }
}

void Catalogue::scan_entry(const MasterEntry& entry) {
  Names& mine = entry_references_[&entry];
  for (const auto& [name, value] : entry.overrides) {
    if (is_raw(name)) continue;
    auto visited = config::visit_macros(value, [&](std::string_view reference) {
      mine.emplace(reference);
      check_reference(reference, "master.cf", &entry);
    });
    if (!visited) {
      warn(visited.error().text);
      continue;
    }
    if (name == kClasses) add_classes(value, &entry, mine);
    add_databases(value, &entry, mine);
  }
  master_references_.insert(mine.begin(), mine.end());
}

/// The words of smtpd_restriction_classes are names of parameters.
void Catalogue::add_classes(std::string_view list, const MasterEntry* entry, Names& references) {
  std::string expanded = expand(list, entry).value_or("");
  for (std::string_view word : split_any(expanded, kListSeparators)) {
    references.emplace(word);
    check_reference(word, entry ? "master.cf" : "main.cf", entry);
  }
}

void Catalogue::add_databases(std::string_view value, const MasterEntry* entry, Names& references) {
  std::string expanded = expand(value, entry).value_or("");
  visit_databases(expanded, [&](std::string_view type, std::string_view name) {
    if (name[0] == '{') return;
    if (name[0] == '/' || name[0] == '.') {
      std::string path(name);
      if (checked_files_.insert(fmt::format("{}:{}", type, path)).second) check_database_file(type, path);
      return;
    }
    for (std::string_view parameter : database_parameters(type))
      references.insert(fmt::format("{}_{}", name, parameter));
  });
}

void Catalogue::add_user_names() {
  for (const std::string& name : config_.set_names())
    if (references_.contains(name) || master_references_.contains(name)) names_.try_emplace(name, Kind::user);
}

/// Postfix takes a '#' behind other text as part of the value, which is hardly what was meant.
void Catalogue::check_comment(std::string_view value) const {
  for (std::string_view rest = value; auto word = next_token(rest, kListSeparators);) {
    if (!word->starts_with('#')) continue;
    warn(fmt::format("{}/main.cf: #comment after other text is not allowed: {} {}...", config_.directory(),
                     *word, rest.substr(0, 20)));
    return;
  }
}

void Catalogue::check_reference(std::string_view name, std::string_view file,
                                const MasterEntry* entry) const {
  bool set =
      config_.is_set(name) || (entry ? entry->overrides.contains(name) : set_by_master_.contains(name));
  if (set || names_.contains(name) || config::find_param(name)) return;
  warn(fmt::format("{}/{}: undefined parameter: {}", config_.directory(), file, name));
}

bool Catalogue::used_by(const MasterEntry& entry, std::string_view name) const {
  if (names_.contains(name) || config::find_param(name) || references_.contains(name)) return true;
  auto mine = entry_references_.find(&entry);
  return mine != entry_references_.end() && mine->second.contains(name);
}

std::optional<std::string> Catalogue::text(std::string_view name) const {
  try {
    if (auto found = config_.text(name)) return found;
  } catch (const config::ConfigError& error) {
    // mynetworks cannot be found out; everything else can still be shown.
    warn(error.what());
    return "";
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

Result<std::string> Catalogue::expand(std::string_view value, const MasterEntry* entry) const {
  config::MacroLookup lookup = [&](std::string_view name) { return entry ? text(*entry, name) : text(name); };
  return TRY(config::expand_macros(value, lookup, {.recursive = true})).text;
}

}  // namespace postrider::postconf

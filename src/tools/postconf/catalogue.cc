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

void Catalogue::scan_main_cf() {
  for (const std::string& name : config_.set_names()) {
    if (config::is_read_only(name)) {
      warn(fmt::format("{}/main.cf: read-only parameter assignment: {}={}", config_.directory(), name,
                       config_.set_text(name)));
      continue;
    }
    std::string value = text(name).value_or("");
    check_comment(value);
    if (is_raw(name)) continue;
    auto visited = config::visit_macros(value, [this](std::string_view reference) {
      references_.emplace(reference);
      check_reference(reference, "main.cf", nullptr);
    });
    if (!visited) warn(visited.error().text);
    if (name == kClasses) add_classes(value, nullptr, references_);
    if (may_list_tables(name)) add_databases(value, nullptr, references_);
  }
}

void Catalogue::scan_entry(const MasterEntry& entry) {
  Names& mine = entry_references_[&entry];
  for (const auto& [name, value] : entry.overrides) {
    if (config::is_read_only(name)) {
      warn(fmt::format("{}/master.cf: read-only parameter assignment: {}={}", config_.directory(), name,
                       value));
      continue;
    }
    if (is_raw(name)) continue;
    auto visited = config::visit_macros(value, [&](std::string_view reference) {
      mine.emplace(reference);
      check_reference(reference, "master.cf", &entry);
    });
    if (!visited) warn(visited.error().text);
    if (name == kClasses) add_classes(value, &entry, mine);
    if (may_list_tables(name)) add_databases(value, &entry, mine);
  }
  master_references_.insert(mine.begin(), mine.end());
}

/// Other values are free text: a name of the user's may be anything.
bool Catalogue::may_list_tables(std::string_view name) const {
  auto found = names_.find(name);
  return found != names_.end() && found->second != Kind::user;
}

/// The words of smtpd_restriction_classes are names of parameters.
void Catalogue::add_classes(std::string_view list, const MasterEntry* entry, Names& references) {
  // Of what the list refers to only settings count: a built-in default names no class of the user's.
  config::MacroLookup set_only = [&](std::string_view name) -> std::optional<std::string> {
    if (entry) {
      auto own = entry->overrides.find(name);
      return own == entry->overrides.end() ? std::nullopt : std::optional(own->second);
    }
    return config_.is_set(name) ? std::optional(config_.set_text(name)) : std::nullopt;
  };
  auto expansion = config::expand_macros(list, set_only, {.recursive = true});
  std::string expanded = expansion ? expansion->text : std::string();
  for (std::string_view word : split_any(expanded, kListSeparators)) {
    references.emplace(word);
    check_reference(word, entry ? "master.cf" : "main.cf", entry);
  }
}

void Catalogue::add_databases(std::string_view value, const MasterEntry* entry, Names& references) {
  std::string expanded = expand_or_end(value, entry);
  visit_databases(expanded, [&](std::string_view type, std::string_view name) {
    if (name[0] == '.') return;
    if (name[0] == '/') {
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

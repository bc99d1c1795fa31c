// Which names are parameters: built-in ones, those of the services in master.cf, and the user's own.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "tools/postconf/master_file.h"

namespace postrider::postconf {

enum class Kind : unsigned char { builtin, service, user };

/// The names that mean something, found by looking at every value that main.cf and master.cf set.
class Catalogue {
 public:
  /// Says what is wrong with values of the files on the way. `config` and `entries` must outlive the object.
  /// With `defaults_only` no value of the files counts, only what services there are.
  Catalogue(const config::Config& config, const std::vector<MasterEntry>& entries, bool defaults_only);

  /// All names, sorted.
  const std::map<std::string, Kind, std::less<>>& names() const { return names_; }
  bool contains(std::string_view name) const { return names_.contains(name); }
  /// Whether something uses a name that an -o option of the entry sets.
  bool used_by(const MasterEntry& entry, std::string_view name) const;

  /// The text of a name: as set in main.cf, else its default. Nothing for unknown names.
  std::optional<std::string> text(std::string_view name) const;
  /// text() for a service: its -o options come first.
  std::optional<std::string> text(const MasterEntry& entry, std::string_view name) const;
  /// Expands a text for main.cf, or for an entry of master.cf.
  Result<std::string> expand(std::string_view text, const MasterEntry* entry = nullptr) const;
  /// expand(); a mistake ends the program.
  std::string expand_or_end(std::string_view text, const MasterEntry* entry) const;
  /// Raw parameters are shown as they are, also by -x.
  static bool is_raw(std::string_view name);

 private:
  using Names = std::set<std::string, std::less<>>;
  /// Where a text stands: an entry of master.cf, or main.cf when there is none.
  using Scope = const MasterEntry*;

  void add_builtin();
  void add_services();
  void scan_defaults();
  void scan_entry(const MasterEntry& entry);
  void scan_main_cf();
  void scan_setting(const std::string& name, std::string_view value, Scope scope);
  void add_classes(std::string_view list, Scope scope);
  void add_databases(std::string_view value, Scope scope);
  void add_user_names();
  void refer(std::string_view name, Scope scope);
  void refer_or_warn(std::string_view name, Scope scope);
  bool may_list_tables(std::string_view name) const;
  /// "DIRECTORY/main.cf"
  std::string file_of(Scope scope) const;
  static std::string entry_of(Scope scope);

  const config::Config& config_;
  const std::vector<MasterEntry>& entries_;
  std::map<std::string, Kind, std::less<>> names_;
  std::map<std::string, std::string, std::less<>> service_defaults_;
  Names references_;         // Made by main.cf and by defaults.
  Names master_references_;  // Made by entries of master.cf that do not set the name themselves.
  std::map<Scope, Names> entry_references_;  // Made by entries that do.
  Names set_by_master_;
  Names checked_files_;
};

/// The names that main.cf and the -o options of the command set, in the order of their warnings.
std::vector<std::string> main_cf_order(const config::Config& config);

}  // namespace postrider::postconf

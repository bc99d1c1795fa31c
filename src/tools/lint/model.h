// The configuration as the checks see it: settings and services with the places where they stand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/master_cf.h"
#include "tools/lint/finding.h"

namespace postrider::lint {

/// A text file with its lines.
struct SourceFile {
  std::string path;
  std::vector<std::string> lines;

  /// The line from `first` to `last` (from 1) where `word` stands between separators; `first` when it stands
  /// in none.
  int line_of(std::string_view word, int first, int last) const;
};

/// "-o name=value" of a service.
struct Override {
  std::string name, value;
};

struct Service {
  config::MasterService entry;
  int last_line = 0;
  std::string program;  ///< "smtpd"; the last part of the command.
  std::vector<Override> overrides;
  config::Config config;  ///< main.cf with the overrides.

  const Override* find(std::string_view name) const;
  bool is_inet() const { return entry.type == config::ServiceType::inet; }
};

class Model {
 public:
  /// Reads both files. What cannot be read or understood goes to the report; nothing when there is no main.cf
  /// to look at.
  static std::optional<Model> load(const std::string& directory, Report& report);

  const config::Config& config() const { return config_; }
  const std::vector<Service>& services() const { return services_; }
  /// A unix or fifo service of this name; services of type inet are asked for by Service::entry.
  const Service* local_service(std::string_view name) const;
  std::string master_cf_path() const { return master_cf_.path; }
  std::string main_cf_path() const { return main_cf_.path; }

  /// Settings of main.cf and overrides: with the service for the latter.
  void each_setting(
      const std::function<void(std::string_view name, const std::string& text, const Service*)>& visit) const;
  /// The expanded value of a name as a service has it, or main.cf; empty where it has none or it is broken.
  std::string value(std::string_view name, const Service* service = nullptr) const;
  /// A text, expanded in the same way.
  std::string expand(std::string_view text, const Service* service) const;

  /// Whether a text refers to a name that has no value.
  bool has_undefined_names(std::string_view text, const Service* service) const;

  /// Where a parameter is set: the override, else main.cf; and where in its value `word` stands. For one that
  /// is not set: main.cf as a whole.
  Place place(std::string_view name, const Service* service = nullptr, std::string_view word = {}) const;
  Place place(const Service& service) const { return {master_cf_.path, service.entry.line}; }
  Place place_in_master(int line) const { return {master_cf_.path, line}; }

  const std::string& queue_directory() const { return queue_directory_; }
  bool is_chrooted(const Service& service) const;

 private:
  explicit Model(config::Config config) : config_(std::move(config)) {}
  bool read_main_cf(Report& report);
  void read_master_cf(Report& report);
  void add_service(config::MasterService entry, int first, int last, Report& report);

  struct Extent {
    int first = 0, last = 0;
  };
  config::Config config_;
  SourceFile main_cf_, master_cf_;
  std::map<std::string, Extent, std::less<>> extents_;  // Of the settings of main.cf.
  std::vector<Service> services_;
  std::string queue_directory_;
};

/// The words of a list, braces kept together.
std::vector<std::string_view> list_words(std::string_view text);

}  // namespace postrider::lint

// The instances that main.cf of the primary one lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "tools/postmulti/options.h"

namespace postrider::postmulti {

struct Instance {
  std::string config_directory, queue_directory, data_directory;
  std::string name, group;  ///< Empty where there is none.
  bool enabled = false;
  bool primary = false;
};

/// What main.cf of the directory says.
Result<Instance> load_instance(const std::string& directory);

class Instances {
 public:
  /// The primary one and, in their order, those in its multi_instance_directories. An error where one has no
  /// main.cf, or where two have a directory or name in common.
  static Result<Instances> load(const config::Config& primary);

  const std::vector<Instance>& all() const { return all_; }
  const Instance& primary() const { return all_.front(); }
  bool has_secondaries() const { return all_.size() > 1; }
  /// By name, or by configuration directory; "-" is the primary one. Null where there is none.
  const Instance* find(std::string_view name) const;

  /// Whether `instance` can be one of them.
  Result<void> check_new(const Instance& instance) const;

 private:
  std::vector<Instance> all_;
};

bool matches(const Instance& instance, const Selection& selection);

}  // namespace postrider::postmulti

// What becomes of one instance on disk.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/edit.h"
#include "tools/postmulti/instances.h"

namespace postrider::postmulti {

/// New values of multi_instance_name and multi_instance_group; empty: as it is, "-": none.
struct Names {
  std::string name, group;
};

class LifeCycle {
 public:
  LifeCycle(const config::Config& primary, const Instance& instance)
      : primary_(primary), instance_(instance) {}

  /// Makes the primary instance one that manages others.
  Result<void> init();
  /// `directories` is the new list of the primary instance. With `create` directories and files are made
  /// where they are missing.
  Result<void> add(bool create, const Names& names, const std::vector<std::string>& directories);
  Result<void> deport(const std::vector<std::string>& directories);
  /// Removes the instance's files and directories as far as nothing else is in them; what stays is a warning.
  Result<void> destroy(const std::vector<std::string>& directories);
  Result<void> enable(bool yes);
  Result<void> assign(const Names& names);

  /// Logs the error as the script of Postfix does; the exit status.
  int failed(const Error& error) const;

 private:
  Result<void> require_init() const;
  Result<void> require_stopped() const;
  Result<void> make_files();
  Result<void> set_permissions() const;
  Result<void> update_lists(const std::vector<std::string>& directories, bool alternate);
  std::vector<config::MainCfChange> shared_settings() const;
  void remove_directory(const std::string& path) const;
  void log_as_script() const;

  const config::Config& primary_;
  Instance instance_;
};

}  // namespace postrider::postmulti

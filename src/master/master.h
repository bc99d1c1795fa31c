// The resident process: it starts every other and replaces those that end.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "io/loop.h"
#include "master/running_service.h"

namespace postrider::master {

struct Options {
  std::string config_directory;  ///< Empty: the default.
  int verbose = 0;
  bool init = false;  ///< Process 1 of a container: orphans of others are reaped, too.
};

class Master {
 public:
  Master(const Options& options, config::Config config);

  /// Opens all services. The error is for the log, with file and line: nothing has been started.
  Result<void> start();
  /// Reads main.cf and master.cf again. With a mistake in them everything goes on as it was.
  void reload();
  /// Ends all children and this process.
  [[noreturn]] void terminate(int signal_number);
  void reap_children();

  const config::Config& config() const { return config_; }

 private:
  using Key = std::string;  // place_of()
  Result<std::vector<config::MasterService>> read_services(const config::Config& config) const;
  Result<void> apply(const std::vector<config::MasterService>& entries);
  void prepare_surroundings();
  void warn_changes(const config::Config& fresh) const;

  Options options_;
  config::Config config_;
  Surroundings surroundings_;
  std::map<Key, std::unique_ptr<RunningService>> services_;
  std::vector<std::unique_ptr<RunningService>> closing_;  // Gone from master.cf; their last processes go on.
};

}  // namespace postrider::master

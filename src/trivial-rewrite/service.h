// The requests that the rewrite service answers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "ipc/server.h"
#include "rewrite/resolver.h"
#include "table/catalog.h"

namespace postrider::trivial_rewrite {

class Service {
 public:
  /// Opens all tables. Throws ConfigError where a parameter has no good value.
  explicit Service(const config::Config& config);

  void add_handlers(ipc::Dispatcher& dispatcher) const;
  /// What must stay readable in the sandbox.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  table::Catalog catalog_;
  std::unique_ptr<rewrite::Resolver> resolver_;
  std::vector<std::string> paths_;
};

}  // namespace postrider::trivial_rewrite

// Telling the connection cache service how well kept sessions serve.
#pragma once

#include <memory>

#include "config/config.h"
#include "ipc/client.h"
#include "ipc/connection.h"
#include "smtp/session_cache.h"

namespace postrider::smtp_client {

/// Reports at intervals, as long as the cache is used. Nobody waits for it, and a report that gets lost is no
/// harm.
class CacheReports {
 public:
  CacheReports(const config::Config& config, SessionCache& cache);

  /// The cache was used.
  void touch();

 private:
  void run();
  bool send();

  SessionCache& cache_;
  ipc::Endpoint endpoint_;
  std::shared_ptr<ipc::Connection> connection_;
  bool running_ = false;
};

}  // namespace postrider::smtp_client

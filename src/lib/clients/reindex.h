// Asking nbdb_reindexd for indexes that are missing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "config/config.h"
#include "ipc/client.h"

namespace postrider::clients {

/// The requests of one process.
class Reindexer {
 public:
  explicit Reindexer(const config::Config& config);

  /// For a table `target` ("lmdb:/etc/x") that takes the place of `spec` ("hash:/etc/x"): its index is there
  /// when this returns without an error. What was refused is not asked for again for a while. In a fiber it
  /// does not wait: the error says that the index is being made.
  Result<void> provide(std::string_view spec, std::string_view target);

 private:
  /// What is known of an index that was asked for.
  struct Asked {
    std::string problem;  ///< Empty while nbdb_reindexd works on it.
    Clock::time_point again{};
  };
  using Requests = std::map<std::string, Asked, std::less<>>;

  std::string queue_directory_, service_;
  ipc::Endpoint endpoint_;
  std::shared_ptr<Requests> asked_ = std::make_shared<Requests>();
};

}  // namespace postrider::clients

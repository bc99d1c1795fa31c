// Asking the rewrite service, with answers kept for a short time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/text.h"
#include "config/config.h"
#include "ipc/client.h"
#include "proto/rewrite.h"

namespace postrider::clients {

/// Addresses in standard form, and where mail for them goes. Answers are kept until the service's connection
/// ends (then its configuration may have changed); those about routing, which come from tables, for a second
/// at most.
///
/// An error means that the service could not be asked; a table that failed shows as kResolveFailed. Both are
/// temporary.
class RewriteClient {
 public:
  RewriteClient(const config::Config& config, std::string_view asker);

  Result<std::string> rewrite(std::string_view context, std::string_view address, Deadline deadline);
  /// All at once; the result has the same order.
  Result<std::vector<std::string>> rewrite(std::string_view context,
                                           const std::vector<std::string>& addresses, Deadline deadline);
  Result<proto::ResolveReply> resolve(std::string_view sender, std::string_view address, Deadline deadline);
  /// Routing for an address verification probe.
  Result<proto::ResolveReply> resolve_verify(std::string_view sender, std::string_view address,
                                             Deadline deadline);

 private:
  static constexpr size_t kMaxEntries = 10'000;
  static constexpr seconds kRouteLifetime{1};
  template <typename Value>
  using Cache = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;
  struct Route {
    proto::ResolveReply reply;
    Clock::time_point until;
  };

  Result<proto::ResolveReply> resolve(proto::ResolveRequest request, Deadline deadline);

  ipc::Client client_;
  std::map<std::string, Cache<std::string>, std::less<>> rewritten_;  // By context.
  Cache<Route> resolved_;
};

}  // namespace postrider::clients

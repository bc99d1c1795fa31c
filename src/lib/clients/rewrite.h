// Asking the rewrite service, with answers kept for a short time.
#pragma once

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

/// Addresses in standard form, and where mail for them goes. Answers are kept for a second (a busy process asks
/// the same again and again) and until the service's connection ends (its tables may have changed).
///
/// An error means that the service could not be asked; a table that failed shows as kResolveFailed. Both are
/// temporary.
class RewriteClient {
 public:
  RewriteClient(const config::Config& config, std::string_view asker);

  Result<std::string> rewrite(std::string_view context, std::string_view address, Deadline deadline);
  /// All at once; the result has the same order.
  Result<std::vector<std::string>> rewrite(std::string_view context, const std::vector<std::string>& addresses,
                                           Deadline deadline);
  Result<proto::ResolveReply> resolve(std::string_view sender, std::string_view address, Deadline deadline);
  /// Routing for an address verification probe.
  Result<proto::ResolveReply> resolve_verify(std::string_view sender, std::string_view address, Deadline deadline);

 private:
  template <typename Value>
  class Cache {
   public:
    const Value* find(const std::string& key) const;
    void put(std::string key, Value value);
    void clear() { entries_.clear(); }

   private:
    static constexpr size_t kMaxEntries = 10'000;
    static constexpr seconds kLifetime{1};
    struct Entry {
      Value value;
      Clock::time_point until;
    };
    std::unordered_map<std::string, Entry> entries_;
  };

  Result<proto::ResolveReply> resolve(proto::ResolveRequest request, Deadline deadline);

  ipc::Client client_;
  Cache<std::string> rewritten_;
  Cache<proto::ResolveReply> resolved_;
};

}  // namespace postrider::clients

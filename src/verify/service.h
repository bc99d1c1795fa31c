// The verify service: which addresses take mail.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "ipc/server.h"
#include "proto/verify.h"
#include "table/record_cache.h"
#include "verify/knowledge.h"

namespace postrider::verify {

struct Settings {
  explicit Settings(const config::Config& config);

  std::string map;  ///< address_verify_map
  seconds positive_expire, positive_refresh, negative_expire, negative_refresh;
  bool negative_cache;
  seconds cleanup_interval;  ///< 0: never.
  seconds ipc_timeout, ipc_idle;
};

class Service {
 public:
  /// `send_probe` starts a probe of an address and does not wait. `now`: seconds since 1970.
  Service(const Settings& settings, table::RecordCache& cache,
          std::function<void(std::string address)> send_probe, std::function<int64_t()> now)
      : settings_(settings), cache_(cache), send_probe_(std::move(send_probe)), now_(std::move(now)) {}

  void add_handlers(ipc::Dispatcher& dispatcher);

  Result<proto::VerifyAnswer> query(const proto::VerifyQuery& request, Deadline deadline);
  Result<proto::VerifyNoted> update(const proto::VerifyUpdate& request, Deadline deadline);
  bool is_expired(const Knowledge& knowledge) const;
  /// Whether an entry of the cache is of no use any more.
  bool is_expired(std::string_view entry) const;

 private:
  bool needs_probe(const Knowledge& knowledge) const;
  /// Nothing when there is no entry, or none that makes sense.
  Result<std::optional<Knowledge>> find(std::string_view key, Deadline deadline);

  const Settings& settings_;
  table::RecordCache& cache_;
  std::function<void(std::string)> send_probe_;
  std::function<int64_t()> now_;
};

}  // namespace postrider::verify

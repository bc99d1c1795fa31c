// What tlsmgr answers.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "ipc/server.h"
#include "proto/tlsmgr.h"
#include "tlsmgr/key_ring.h"
#include "tlsmgr/session_cache.h"

namespace postrider::tlsmgr {

class Service {
 public:
  /// Null pointers for caches that are not configured.
  using Caches = std::array<std::unique_ptr<SessionCache>, proto::kTlsCaches>;
  /// `now`: seconds since 1970.
  Service(KeyRing keys, Caches caches, std::function<std::time_t()> now)
      : keys_(std::move(keys)), caches_(std::move(caches)), now_(std::move(now)) {}

  void add_handlers(ipc::Dispatcher& dispatcher);

  Result<proto::TlsSeedReply> seed(const proto::TlsSeed& request);
  Result<proto::TlsTicketKeysReply> ticket_keys();
  Result<proto::TlsSessionReply> session(const proto::TlsSession& request, Deadline deadline);
  const Caches& caches() const { return caches_; }

 private:
  KeyRing keys_;
  Caches caches_;
  std::function<std::time_t()> now_;
};

}  // namespace postrider::tlsmgr

// Telling the bounce, defer and trace services.
#pragma once

#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "ipc/client.h"
#include "proto/bounce.h"

namespace postrider::clients {

/// The three services that keep delivery logs and make notices of them. Success means that it is on disk.
/// An error is temporary: whoever gets it must keep the recipient for later.
class BounceClient {
 public:
  BounceClient(const config::Config& config, std::string_view asker);

  Result<void> append_bounce(proto::AppendStatus& status, Deadline deadline);
  Result<void> append_defer(proto::AppendStatus& status, Deadline deadline);
  Result<void> append_trace(proto::AppendStatus& status, Deadline deadline);

  /// Returns the failed recipients in bounce/ to the sender and removes that log.
  Result<void> flush_bounce(proto::SendNotice& notice, Deadline deadline);
  /// The same for the deferred recipients in defer/, which nobody tries any more.
  Result<void> flush_defer(proto::SendNotice& notice, Deadline deadline);
  /// Tells the sender that recipients in defer/ are late.
  Result<void> warn_defer(proto::SendNotice& notice, Deadline deadline);
  /// Reports what trace/ holds and removes that log.
  Result<void> flush_trace(proto::SendNotice& notice, Deadline deadline);
  /// A notice about one recipient that is in no log.
  Result<void> bounce_one(proto::BounceOne& one, Deadline deadline);

 private:
  ipc::Client bounce_, defer_, trace_;
};

}  // namespace postrider::clients

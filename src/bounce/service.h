// The bounce, defer and trace services: delivery logs, and the notices made of them.
#pragma once

#include "base/deadline.h"
#include "base/result.h"
#include "bounce/settings.h"
#include "clients/internal_mail.h"
#include "ipc/server.h"
#include "proto/bounce.h"
#include "queue/committer.h"
#include "queue/delivery_log.h"
#include "queue/store.h"

namespace postrider::bounce {

/// One per process.
class Service {
 public:
  /// All must outlive this object.
  Service(const Settings& settings, queue::Store& store, queue::Committer& committer,
          clients::InternalMailer& mailer);

  void add_handlers(ipc::Dispatcher& dispatcher);

  /// On disk when this has returned.
  Result<proto::Done> append(const proto::AppendStatus& request, Deadline deadline);
  /// Makes the notices of a log. They are in the queue before the log is removed, so that a crash may repeat
  /// a notice but never lose one. An error leaves the log for the next time.
  Result<proto::Done> send(const proto::SendNotice& request, Deadline deadline);
  Result<proto::Done> bounce_one(const proto::BounceOne& request, Deadline deadline);

 private:
  const Settings& settings_;
  queue::Store& store_;
  queue::DeliveryLogs logs_;
  clients::InternalMailer& mailer_;
};

}  // namespace postrider::bounce

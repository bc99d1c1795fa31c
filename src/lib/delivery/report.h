// Reporting what became of a recipient: the log line, the delivery logs, the mark in the queue file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "clients/bounce.h"
#include "clients/flush.h"
#include "clients/verify.h"
#include "config/config.h"
#include "delivery/status_filter.h"
#include "mail/address_parts.h"
#include "mail/dsn.h"
#include "proto/delivery.h"
#include "queue/files.h"

namespace postrider::delivery {

/// What the log line says beside the outcome.
struct Attempt {
  std::string relay = "none";  ///< "host[ip]:port", "local", "none"
  int64_t connected_at = 0;    ///< Microseconds since 1970 when the connection stood; 0: there was none.
  int connection_uses = 0;     ///< conn_use=, shown when above 1.
  std::string tls;             ///< tls=: what was asked of TLS and came of it; empty: not shown.
};

/// The message that the recipients belong to, as far as reports need it.
struct MessageRef {
  std::string_view queue_id;
  uint32_t flags = 0;  ///< proto::DeliveryFlag
  proto::DeliveryTimes times;
  queue::File* file = nullptr;  ///< To mark finished recipients in; none: nothing is marked.

  static MessageRef of(const proto::DeliverRequest& request, queue::File* file) {
    return {request.queue_id, request.flags, request.times, file};
  }
};

/// What the caller has to remember about a recipient.
enum class [[nodiscard]] Disposition : unsigned char {
  finished,  ///< Nothing more is to be done for it.
  deferred,  ///< It stays in the queue.
};

/// Finishes recipients. One per process; every call logs exactly one delivery line.
///
/// With kDeliverVerifyOnly nothing is bounced: the outcome goes to the trace log as deliverable or
/// undeliverable, or to the verify service with kDeliverUpdateVerify.
class Reporter {
 public:
  Reporter(const config::Config& config, std::string_view asker);

  /// Delivered, relayed or expanded: status=sent.
  Disposition sent(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                   const mail::DeliveryStatus& status, const Attempt& attempt);
  /// Failed for good: status=bounced; deferred instead with soft_bounce, and when it cannot be recorded.
  Disposition bounce(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                     const mail::DeliveryStatus& status, const Attempt& attempt);
  /// To be tried again: status=deferred.
  Disposition defer(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                    const mail::DeliveryStatus& status, const Attempt& attempt);
  /// sent(), bounce() or defer() by the class of the status.
  Disposition report(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                     const mail::DeliveryStatus& status, const Attempt& attempt);

  /// Only for the sender who asked for reports of success: something happened on the way, as an expansion.
  void trace(const MessageRef& message, const proto::DeliveryRecipient& recipient,
             const mail::DeliveryStatus& status, const Attempt& attempt);
  /// As bounce(), but the failure is returned at once to another sender than the message's, who is in
  /// `notice`.
  Disposition bounce_to(proto::SendNotice notice, const MessageRef& message,
                        const proto::DeliveryRecipient& recipient, const mail::DeliveryStatus& status,
                        const Attempt& attempt);

  clients::BounceClient& services() { return services_; }
  /// smtp_delivery_status_filter and the like: every outcome goes through it first.
  void filter_with(table::Maps maps) { filter_ = StatusFilter(std::move(maps)); }

 private:
  mail::DeliveryStatus filtered(const mail::DeliveryStatus& status) const;
  Disposition record_sent(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                          const mail::DeliveryStatus& status, const Attempt& attempt);
  Disposition record_bounce(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                            const mail::DeliveryStatus& status, const Attempt& attempt);
  Disposition record_defer(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                           const mail::DeliveryStatus& status, const Attempt& attempt);
  void log(const MessageRef& message, const proto::DeliveryRecipient& recipient,
           const mail::DeliveryStatus& status, const Attempt& attempt, std::string_view outcome);
  /// The outcome of an address verification probe.
  Disposition probed(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                     const mail::DeliveryStatus& status, const Attempt& attempt);
  Disposition verify_only(const MessageRef& message, const proto::DeliveryRecipient& recipient,
                          const mail::DeliveryStatus& status, const Attempt& attempt, bool deliverable);
  /// False when the mark could not be written: the recipient will be tried again.
  bool mark_done(const MessageRef& message, const proto::DeliveryRecipient& recipient);
  void note_destination(const MessageRef& message, const proto::DeliveryRecipient& recipient);

  clients::BounceClient services_;
  clients::FlushClient flush_;
  clients::VerifyClient verify_;
  StatusFilter filter_;
  bool soft_bounce_;
  bool cache_failed_probes_;  ///< address_verify_negative_cache
  int resolution_;
  mail::LogForm log_form_;
  seconds timeout_;
};

/// Microseconds since 1970.
int64_t now_microseconds();

}  // namespace postrider::delivery

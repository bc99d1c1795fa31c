// Who hears what about a message.
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "bounce/entries.h"
#include "bounce/settings.h"
#include "clients/internal_mail.h"
#include "dsn/notice.h"
#include "proto/bounce.h"

namespace postrider::bounce {

/// Makes the notices about one message. A result without error: all that had to be sent is in the queue, and
/// the log is not needed any more.
class Notifier {
 public:
  Notifier(const Settings& settings, clients::InternalMailer& mailer, const proto::SendNotice& message,
           const Entries& entries, const dsn::OriginalMessage& original);

  /// Mail that failed for good.
  Result<void> failure(Deadline deadline);
  /// The same for mail with variable envelope return paths: a notice for each recipient.
  Result<void> verp_failures(Deadline deadline);
  /// Mail that waits.
  Result<void> delay(Deadline deadline);
  /// Mail that was delivered or traced.
  Result<void> report(Deadline deadline);

 private:
  struct Order {
    dsn::TemplateKind kind;
    std::string_view sender, recipient;
    bool postmaster_copy = false;
    bool header_only = false;
    NotifyFilter filter;
    std::string_view event;  ///< For the log: "sender non-delivery notification".
  };
  bool is_double_bounce() const;
  bool is_null_sender() const { return message_.sender.empty(); }
  bool sender_wants_header() const;
  Order postmaster_order(dsn::TemplateKind kind, std::string_view recipient, std::string_view event) const;

  /// Nothing is sent when no recipient passes the filter.
  Result<void> send(const Order& order, const Entries& entries, Deadline deadline);
  Result<void> queue(const Order& order, const dsn::Recipients& recipients, Deadline deadline);
  /// A copy for the postmaster. That it fails is told and changes nothing: repeating the sender's notice were
  /// worse.
  void copy(const Order& order, const Entries& entries, std::string_view doing, Deadline deadline);
  dsn::Form make_form(const Order& order) const;

  const Settings& settings_;
  clients::InternalMailer& mailer_;
  const proto::SendNotice& message_;
  const Entries& entries_;
  const dsn::OriginalMessage& original_;
};

}  // namespace postrider::bounce

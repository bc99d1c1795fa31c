// Delivery of a message to one virtual mailbox.
#pragma once

#include <optional>
#include <string>

#include "delivery/agent.h"
#include "mail/dsn.h"
#include "table/address_find.h"
#include "virtual/settings.h"

namespace postrider::virtual_mailbox {

class Delivery {
 public:
  Delivery(const Settings& settings, const Tables& tables, delivery::Job& job)
      : settings_(settings), tables_(tables), job_(job) {}

  /// The outcome, for the report.
  mail::DeliveryStatus deliver(const proto::DeliveryRecipient& recipient);

  /// The queue file is damaged: there is nothing to report.
  bool damaged() const { return damaged_; }

 private:
  /// Nothing when the recipient has no entry; an error when a table does not answer.
  Result<std::optional<std::string>> look_up(const table::Maps& maps, const std::string& address) const;
  std::expected<mailbox::Identity, mail::DeliveryStatus> identity_of(const std::string& address) const;
  std::expected<uint32_t, mail::DeliveryStatus> id_of(const table::Maps& maps, const std::string& address,
                                                      int64_t minimum, const char* what) const;
  mail::DeliveryStatus deliver_to(const std::string& path, mailbox::Identity as,
                                  const proto::DeliveryRecipient& recipient);

  const Settings& settings_;
  const Tables& tables_;
  delivery::Job& job_;
  bool damaged_ = false;
};

}  // namespace postrider::virtual_mailbox

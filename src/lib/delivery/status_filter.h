// default_delivery_status_filter and its relatives: another status or reason than the delivery agent's.
#pragma once

#include "base/deadline.h"
#include "mail/dsn.h"
#include "table/maps.h"

namespace postrider::delivery {

class StatusFilter {
 public:
  StatusFilter() = default;
  explicit StatusFilter(table::Maps maps) : maps_(std::move(maps)) {}

  /// Changes the status as the tables say. Their keys are "D.D.D reason", and so are their values. Success
  /// cannot become failure nor failure success; such a value, one that is no status, and a table that does
  /// not answer change nothing.
  void apply(mail::DeliveryStatus& status, Deadline deadline) const;

 private:
  table::Maps maps_;
};

}  // namespace postrider::delivery

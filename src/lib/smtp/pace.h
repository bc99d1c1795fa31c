// How long a request may take.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/deadline.h"

namespace postrider::smtp {

/// The time limit of one request. Either for each wait alone, or (per_request) for the whole: then a peer
/// that keeps up a minimum data rate gets more time for what it transfers, never more than the limit from
/// now.
class Pace {
 public:
  Pace(seconds limit, bool per_request, size_t min_data_rate)
      : limit_(limit),
        rate_(per_request ? min_data_rate : 0),
        per_request_(per_request),
        end_(Deadline::after(limit)) {}

  /// For the next wait.
  Deadline deadline() const { return per_request_ ? end_ : Deadline::after(limit_); }
  void transferred(size_t bytes) {
    if (rate_ == 0 || end_.passed()) return;
    auto earned = std::chrono::microseconds(bytes * 1'000'000 / rate_);
    end_ = Deadline::at(end_.when() + earned).or_sooner(Deadline::after(limit_));
  }

 private:
  seconds limit_;
  size_t rate_;
  bool per_request_;
  Deadline end_;
};

}  // namespace postrider::smtp

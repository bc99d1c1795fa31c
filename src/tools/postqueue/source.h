// Where the queue listing comes from.
#pragma once

#include <functional>

#include "config/config.h"
#include "proto/showq.h"

namespace postrider::postqueue {

/// Hands all entries of the queue to `take`, from the showq service, or while the mail system is down, for
/// those who may read the queue, from a showq program of our own. What makes that impossible ends the
/// process.
void read_queue(const config::Config& config, const std::function<void(const proto::QueueEntry&)>& take);

}  // namespace postrider::postqueue

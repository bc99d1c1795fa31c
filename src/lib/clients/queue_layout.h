// Where the queue is, from the configuration.
#pragma once

#include "config/config.h"
#include "queue/store.h"

namespace postrider::clients {

/// The layout for a daemon, whose working directory is the queue directory.
queue::Layout queue_layout(const config::Config& config);

}  // namespace postrider::clients

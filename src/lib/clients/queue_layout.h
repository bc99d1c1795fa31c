// Where the queue is, from the configuration.
#pragma once

#include "config/config.h"
#include "queue/store.h"

namespace postrider::clients {

/// The layout for a daemon, whose working directory is the queue directory.
queue::Layout queue_layout(const config::Config& config);
/// The same for one that ends the life of queue files, and heeds dont_remove.
queue::Layout removing_queue_layout(const config::Config& config);

}  // namespace postrider::clients

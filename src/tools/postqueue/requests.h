// Asking for deliveries now.
#pragma once

#include <string>

#include "config/config.h"

namespace postrider::postqueue {

// What does not work ends the process.

/// Everything in the queue.
void flush_queue(const config::Config& config);
/// What waits for a destination: a domain or "[address]".
void flush_site(const config::Config& config, const std::string& site);
/// One deferred message.
void flush_message(const config::Config& config, const std::string& queue_id);

/// Whether there can be such a destination.
bool is_site(const std::string& text);

}  // namespace postrider::postqueue

// What the parameters of the delivery agents that write mailboxes say.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"
#include "mailbox/lock.h"

namespace postrider::mailbox {

/// How mailbox files are locked: the methods that `lock` (mailbox_delivery_lock, virtual_mailbox_lock) names,
/// with deliver_lock_attempts, deliver_lock_delay and stale_lock_time. Throws ConfigError.
LockPolicy lock_policy(const config::Config& config, config::Param<std::string> lock);

/// The limit on the size of mailbox files that `limit` (mailbox_size_limit, virtual_mailbox_limit) sets, in
/// bytes; 0: none. Throws ConfigError where a mailbox could never take a message that message_size_limit
/// allows.
int64_t mailbox_limit(const config::Config& config, config::Param<int64_t> limit);

}  // namespace postrider::mailbox

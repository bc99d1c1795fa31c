// "postfix check": whether files and directories are as they should be.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "config/config.h"
#include "tools/postfix/queue_tree.h"

namespace postrider::postfix {

/// Names and places of the files of one queue, or of all: postsuper does it. False when it fails.
bool order_queue(const config::Config& config, std::string_view queue = {});
/// The same without waiting for its end; nothing when it cannot be started.
std::optional<pid_t> start_ordering_queue(const config::Config& config, std::string_view queue = {});

/// Makes missing directories, and has postsuper put the queue in order. What makes it impossible to start is
/// logged; false then.
bool check_fatal(const config::Config& config, const Identities& ids);

/// Logs a warning about each thing that has the wrong owner or permissions, or seems odd otherwise.
void check_warn(const config::Config& config, const Identities& ids);

}  // namespace postrider::postfix

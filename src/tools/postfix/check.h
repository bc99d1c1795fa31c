// "postfix check": whether files and directories are as they should be.
#pragma once

#include "config/config.h"
#include "tools/postfix/queue_tree.h"

namespace postrider::postfix {

/// Makes missing directories, and has postsuper put the queue in order. What makes it impossible to start is
/// logged; false then.
bool check_fatal(const config::Config& config, const Identities& ids);

/// Logs a warning about each thing that has the wrong owner or permissions, or seems odd otherwise.
void check_warn(const config::Config& config, const Identities& ids);

}  // namespace postrider::postfix

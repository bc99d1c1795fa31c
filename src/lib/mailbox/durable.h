// Names that are on disk when a function has returned.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace postrider::mailbox {

/// Syncs a directory in which a name was made. One that this user may add to and not read is left to the
/// system.
Result<void> sync_names(const std::string& directory);

/// As `mkdir -p`; each new name is on disk before something is put below it.
Result<void> make_directories(const std::string& path, mode_t mode);

}  // namespace postrider::mailbox

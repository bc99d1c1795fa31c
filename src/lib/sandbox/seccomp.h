// Inside of this folder: the system call filter of sandbox::enter().
#pragma once

#include "sandbox/profile.h"

namespace postrider::sandbox {

/// Whether ask_for_network() was called.
bool network_wanted();

/// False: the kernel has no such filters.
Result<bool> filter_system_calls(const Profile& profile);

}  // namespace postrider::sandbox

// Inside of this folder: the system call filter of sandbox::enter().
#pragma once

#include "sandbox/profile.h"

namespace postrider::sandbox {

/// False: the kernel has no such filters.
Result<bool> filter_system_calls(const Profile& profile);

}  // namespace postrider::sandbox

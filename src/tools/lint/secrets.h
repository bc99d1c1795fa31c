// Files that not everybody should be able to read.
#pragma once

#include <string>

namespace postrider::lint {

/// Whether any user can read a file: by its own mode, and those of the directories that lead there.
bool everybody_can_read(const std::string& path);

}  // namespace postrider::lint

// Commands with an option -o.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace postrider::tool {

/// As load_config(); `overrides` win over main.cf.
config::Config load_config_with(const std::string& directory, int verbose,
                                std::vector<config::Assignment> overrides);

}  // namespace postrider::tool

// The environment of commands.
#pragma once

#include "config/config.h"

namespace postrider::service {

/// Sets what import_environment gives a value: TZ=UTC.
void set_named_environment(const config::Config& config);

}  // namespace postrider::service

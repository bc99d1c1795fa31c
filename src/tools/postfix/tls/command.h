// postfix tls: turning TLS on, and the server's keys and certificates.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace postrider::postfix {

/// Carries out "postfix tls ARGUMENTS"; the result is the exit status.
int tls_command(const config::Config& config, const std::vector<std::string>& arguments);

}  // namespace postrider::postfix

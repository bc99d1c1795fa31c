// Tables of type "proxy:", which the proxymap and proxywrite services hold open.
#pragma once

#include "config/config.h"

namespace postrider::clients {

/// Adds the type to those that this process knows. The services are asked with each look-up, so that they
/// need not run when tables are opened; what they have is not known here but for what the type of the table
/// tells.
void register_proxy_type(const config::Config& config);

}  // namespace postrider::clients

// Where the internal services are.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "ipc/client.h"

namespace postrider::clients {

/// A service's socket below the queue directory, which is the working directory of every daemon.
ipc::Endpoint private_endpoint(const config::Config& config, std::string_view service,
                               std::string_view asker);
ipc::Endpoint public_endpoint(const config::Config& config, std::string_view service, std::string_view asker);

}  // namespace postrider::clients

// Authentication by the Cyrus SASL library (smtpd_sasl_type = cyrus).
#pragma once

#include <memory>

#include "sasl/client.h"
#include "sasl/server.h"

namespace postrider::sasl {

/// Loads the library's plug-ins and its configuration, for the whole process: once.
Result<std::unique_ptr<Service>> create_cyrus_service(const ServiceSettings& settings);
/// The same for the client.
Result<std::unique_ptr<ClientService>> create_cyrus_client_service(const ClientSettings& settings);

}  // namespace postrider::sasl

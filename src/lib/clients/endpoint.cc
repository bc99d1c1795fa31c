#include "clients/endpoint.h"

#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"

namespace postrider::clients {

namespace {

ipc::Endpoint endpoint(const config::Config& config, std::string_view directory, std::string_view service,
                       std::string_view asker) {
  ipc::Endpoint out;
  out.path = std::string(directory) + "/" + std::string(service);
  out.asker = asker;
  out.idle = config.get(config::params::ipc_idle);
  out.ttl = config.get(config::params::ipc_ttl);
  out.timeout = config.get(config::params::ipc_timeout);
  return out;
}

}  // namespace

ipc::Endpoint private_endpoint(const config::Config& config, std::string_view service,
                               std::string_view asker) {
  return endpoint(config, "private", service, asker);
}

ipc::Endpoint public_endpoint(const config::Config& config, std::string_view service,
                              std::string_view asker) {
  return endpoint(config, "public", service, asker);
}

}  // namespace postrider::clients

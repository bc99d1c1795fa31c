#include "clients/anvil.h"

#include "clients/endpoint.h"
#include "config/params/services.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

/// The connection stays for as long as the process lives: the service forgets the clients of one that has
/// ended.
ipc::Endpoint lasting(ipc::Endpoint endpoint) {
  endpoint.idle = std::chrono::hours(24 * 365);
  return endpoint;
}

}  // namespace

AnvilClient::AnvilClient(const config::Config& config, std::string_view asker)
    : client_(lasting(private_endpoint(config, "anvil", asker))) {}

Result<AnvilClient::Connections> AnvilClient::connect(std::string_view ident, Deadline deadline) {
  proto::AnvilConnect request;
  request.ident = ident;
  auto reply = TRY(client_.call<proto::AnvilReply>(request, deadline));
  return Connections{reply.count, reply.rate};
}

void AnvilClient::disconnect(std::string_view ident, Deadline deadline) {
  proto::AnvilDisconnect request;
  request.ident = ident;
  (void)client_.call<proto::AnvilReply>(request, deadline);
}

Result<uint32_t> AnvilClient::count(std::string_view ident, proto::AnvilEvent event, Deadline deadline) {
  return ask(ident, event, false, deadline);
}

Result<uint32_t> AnvilClient::rate(std::string_view ident, proto::AnvilEvent event, Deadline deadline) {
  return ask(ident, event, true, deadline);
}

Result<uint32_t> AnvilClient::ask(std::string_view ident, proto::AnvilEvent event, bool report_only,
                                  Deadline deadline) {
  proto::AnvilCount request;
  request.ident = ident;
  request.event = event;
  request.report_only = report_only;
  return TRY(client_.call<proto::AnvilReply>(request, deadline)).rate;
}

}  // namespace postrider::clients

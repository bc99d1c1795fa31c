// Handing a recipient to another delivery agent.
#include <fmt/format.h>

#include "base/text.h"
#include "clients/endpoint.h"
#include "ipc/client.h"
#include "local/delivery.h"
#include "log/log.h"
#include "mail/address_parts.h"

namespace postrider::local {

Delivery::Disposition Delivery::pass_on(const Scope& scope, const std::string& destination) {
  size_t colon = destination.find(':');
  std::string transport = destination.substr(0, colon);
  std::string nexthop = colon == std::string::npos ? "" : destination.substr(colon + 1);
  if (transport.empty()) {
    log::warning("missing transport name in \"{}\"", destination);
    return report(scope, "4.3.5", "mail system configuration error");
  }
  proto::DeliverRequest request = job_.request;
  if (!nexthop.empty()) request.nexthop = nexthop;
  request.sender = scope.sender;
  request.dsn_envid = scope.dsn_envid;
  request.dsn_ret = scope.dsn_ret;
  request.recipients.clear();
  request.recipients.push_back(scope.recipient);
  auto ask = [&]() -> Result<proto::DeliverReply> {
    ipc::Endpoint endpoint = clients::private_endpoint(agent_.config, transport, settings_.service);
    auto connection = TRY(ipc::connect(endpoint, deadline()));
    TRY(connection->send(request, deadline()));
    // The other agent has its own time limits.
    return connection->receive_as<proto::DeliverReply>(Deadline::never());
  };
  log::info("{}: passing <{}> to transport={}", job_.request.queue_id,
            mail::log_address(scope.recipient.address, settings_.log_form), transport);
  auto reply = ask();
  if (!reply) {
    log::warning("{}: transport {}: {}", job_.request.queue_id, transport, reply.error().text);
    return report(scope, "4.3.0", fmt::format("mail transport unavailable"));
  }
  return reply->deferred ? Disposition::deferred : Disposition::finished;
}

}  // namespace postrider::local

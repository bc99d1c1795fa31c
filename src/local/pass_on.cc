// Handing a recipient to another delivery agent.
#include "local/delivery.h"
#include "log/log.h"
#include "mailbox/failure.h"

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
  auto reply = handover_.pass_on(transport, request, deadline());
  if (!reply) {
    log::warning("{}", reply.error().text);
    bool died = reply.error().kind == ErrorKind::closed;
    auto status =
        mailbox::failed("4.3.0", died ? "unknown mail transport error" : "mail transport unavailable");
    return agent_.reporter.report(message_ref(), scope.recipient, status, {});
  }
  return reply->deferred ? Disposition::deferred : Disposition::finished;
}

}  // namespace postrider::local

#include "delivery/pass.h"

#include "clients/endpoint.h"
#include "config/params/system.h"
#include "ipc/client.h"
#include "log/log.h"
#include "mail/address_parts.h"

namespace postrider::delivery {

Result<proto::DeliverReply> pass_on(const config::Config& config, std::string_view transport,
                                    const proto::DeliverRequest& request, std::string_view asker,
                                    Deadline deadline) {
  auto connection = TRY(ipc::connect(clients::private_endpoint(config, transport, asker), deadline));
  mail::LogForm form = mail::parse_log_form(config.get(config::params::info_log_address_format))
                           .value_or(mail::LogForm::external);
  for (const proto::DeliveryRecipient& recipient : request.recipients) {
    log::info("{}: passing <{}> to transport={}", request.queue_id,
              mail::log_address(recipient.address, form), transport);
  }
  proto::DeliverRequest copy = request;
  TRY(connection->send(copy, deadline));
  // The other agent has its own time limits.
  return connection->receive_as<proto::DeliverReply>(Deadline::never());
}

}  // namespace postrider::delivery

#include "delivery/pass.h"

#include <utility>

#include <fmt/format.h>

#include "clients/endpoint.h"
#include "config/params/system.h"
#include "ipc/client.h"
#include "log/log.h"
#include "mail/address_parts.h"

namespace postrider::delivery {

Result<void> Handover::connect(std::string_view transport, Deadline deadline) {
  // An agent that leaves says so, unasked.
  if (connection_ && transport == transport_ && !connection_->is_stale()) return {};
  connection_.reset();
  connection_ = TRY(ipc::connect(clients::private_endpoint(config_, transport, asker_), deadline));
  transport_ = transport;
  return {};
}

Result<proto::DeliverReply> Handover::ask(const proto::DeliverRequest& request, Deadline deadline) {
  proto::DeliverRequest copy = request;
  TRY(connection_->send(copy, deadline));
  bool retires = false;
  for (;;) {
    // The other agent has its own time limits.
    ipc::Frame frame = TRY(connection_->receive(Deadline::never()));
    if (frame.type == proto::AgentRetires::kType) {
      // It finishes what it has before it leaves.
      retires = true;
      continue;
    }
    auto reply = ipc::Connection::open_frame<proto::DeliverReply>(frame);
    if (retires) connection_.reset();
    return reply;
  }
}

Result<proto::DeliverReply> Handover::pass_on(std::string_view transport,
                                              const proto::DeliverRequest& request, Deadline deadline) {
  mail::LogForm form = mail::parse_log_form(config_.get(config::params::info_log_address_format))
                           .value_or(mail::LogForm::external);
  for (const proto::DeliveryRecipient& recipient : request.recipients) {
    log::info("{}: passing <{}> to transport={}", request.queue_id,
              mail::log_address(recipient.address, form), transport);
  }
  auto connected = connect(transport, deadline);
  auto reply = connected ? ask(request, deadline) : std::unexpected(connected.error());
  if (reply) return reply;
  connection_.reset();
  Error error = reply.error();
  error.text = error.kind == ErrorKind::closed
                   ? fmt::format("private/{} socket: malformed response", transport)
                   : fmt::format("transport {}: {}", transport, error.text);
  return std::unexpected(std::move(error));
}

}  // namespace postrider::delivery

// Handing a delivery to another transport.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "ipc/connection.h"
#include "proto/delivery.h"

namespace postrider::delivery {

/// Passes deliveries to the agents of other transports, one after the other. The connection stays for the
/// next one to the same transport. It takes up a place of that transport's limit, so this should live no
/// longer than the job whose deliveries it passes on.
class Handover {
 public:
  /// `config` must outlive this; `asker` is the own service.
  Handover(const config::Config& config, std::string_view asker) : config_(config), asker_(asker) {}

  /// Logs the recipients, asks the delivery agent of `transport` to do what the request says, and waits as
  /// long as that takes; the deadline is for reaching it. The agent reports the recipients and marks them in
  /// the queue file. An error means that it could not be asked, or died: nothing is known of the recipients
  /// then, and they have to be tried again. It is ErrorKind::closed when the agent went away without an
  /// answer; its text names the transport.
  Result<proto::DeliverReply> pass_on(std::string_view transport, const proto::DeliverRequest& request,
                                      Deadline deadline);

 private:
  Result<void> connect(std::string_view transport, Deadline deadline);
  Result<proto::DeliverReply> ask(const proto::DeliverRequest& request, Deadline deadline);

  const config::Config& config_;
  std::string asker_;
  std::string transport_;  ///< Of `connection_`.
  std::unique_ptr<ipc::Connection> connection_;
};

}  // namespace postrider::delivery

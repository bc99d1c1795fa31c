// Asking the flush service.
#pragma once

#include <string_view>

#include "base/deadline.h"
#include "config/config.h"
#include "ipc/client.h"
#include "proto/flush.h"

namespace postrider::clients {

/// With an empty fast_flush_domains no service is asked for destinations, and none is eligible.
class FlushClient {
 public:
  FlushClient(const config::Config& config, std::string_view asker);

  /// Notes that a message waits for a destination. Its result matters little: without the note the message is
  /// tried when its time comes.
  proto::FlushResult add(std::string_view site, std::string_view queue_id, Deadline deadline);
  /// ETRN, postqueue -s: delivers what waits for a destination. FlushResult::failed also when the service
  /// cannot be reached.
  proto::FlushResult send_site(std::string_view site, Deadline deadline);
  /// postqueue -i: delivers one deferred message.
  proto::FlushResult send_message(std::string_view queue_id, Deadline deadline);

 private:
  template <typename Request>
  proto::FlushResult ask(Request& request, Deadline deadline);

  bool has_domains_;
  ipc::Client client_;
};

}  // namespace postrider::clients

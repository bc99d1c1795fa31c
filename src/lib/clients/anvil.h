// Asking the anvil service.
#pragma once

#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "ipc/client.h"
#include "proto/anvil.h"

namespace postrider::clients {

/// Counts clients' connections and what they do over all processes of a service. Errors mean that nothing is
/// known: whoever asks goes on without limits.
class AnvilClient {
 public:
  AnvilClient(const config::Config& config, std::string_view asker);

  struct Connections {
    uint32_t count = 0, rate = 0;
  };
  Result<Connections> connect(std::string_view ident, Deadline deadline);
  void disconnect(std::string_view ident, Deadline deadline);
  /// How often it has happened, this time included.
  Result<uint32_t> count(std::string_view ident, proto::AnvilEvent event, Deadline deadline);
  Result<uint32_t> rate(std::string_view ident, proto::AnvilEvent event, Deadline deadline);

 private:
  Result<uint32_t> ask(std::string_view ident, proto::AnvilEvent event, bool report_only, Deadline deadline);
  ipc::Client client_;
};

}  // namespace postrider::clients

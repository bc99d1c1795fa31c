// Asking tlsmgr, which keeps what processes that speak TLS share.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "ipc/client.h"
#include "proto/tlsmgr.h"
#include "tls/server.h"

namespace postrider::clients {

/// Nobody waits for long: without an answer there is a new session instead of a resumed one. What fails is
/// logged, once in a while.
class TlsManager {
 public:
  TlsManager(const config::Config& config, std::string_view asker);

  /// Adds to the library's randomness (tls_daemon_random_bytes).
  void seed(Deadline deadline);
  /// The keys for session tickets; null when there are none. Asked for again when the current one expires.
  std::shared_ptr<const tls::TicketKeys> ticket_keys(Deadline deadline);
  std::optional<std::string> find_session(proto::TlsCache cache, std::string_view id, Deadline deadline);
  void save_session(proto::TlsCache cache, std::string_view id, std::string_view data, Deadline deadline);
  void remove_session(proto::TlsCache cache, std::string_view id, Deadline deadline);

 private:
  template <typename Reply, typename Request>
  Result<Reply> ask(Request request, Deadline deadline);
  std::optional<std::string> session(proto::TlsSession request, Deadline deadline);

  ipc::Client client_;
  uint32_t random_bytes_;
  std::shared_ptr<const tls::TicketKeys> keys_;
  std::time_t ask_again_ = 0;
  std::time_t complain_again_ = 0;
};

}  // namespace postrider::clients

// Telling the queue manager of new messages.
#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "ipc/client.h"
#include "ipc/connection.h"

namespace postrider::cleanup {

/// A notice that gets lost only delays the message until the queue manager's next scan, so nobody waits for
/// it.
class Notifier {
 public:
  explicit Notifier(const config::Config& config);
  void arrived(const std::string& queue_id);

 private:
  void send();
  ipc::Endpoint endpoint_;
  std::shared_ptr<ipc::Connection> connection_;
  std::vector<std::string> waiting_;
  bool sending_ = false;
};

}  // namespace postrider::cleanup

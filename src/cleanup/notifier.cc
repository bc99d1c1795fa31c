#include "cleanup/notifier.h"

#include "clients/endpoint.h"
#include "config/params/services.h"
#include "io/fiber.h"
#include "log/log.h"
#include "proto/qmgr.h"

namespace postrider::cleanup {

Notifier::Notifier(const config::Config& config)
    : endpoint_(clients::public_endpoint(config, config.get(config::params::queue_service_name), "cleanup")) {
}

void Notifier::arrived(const std::string& queue_id) {
  waiting_.push_back(queue_id);
  if (std::exchange(sending_, true)) return;
  io::spawn([this] {
    send();
    sending_ = false;
  });
}

void Notifier::send() {
  Deadline deadline = Deadline::after(endpoint_.timeout);
  for (int attempt = 0; attempt < 2 && !waiting_.empty(); ++attempt) {
    if (connection_ && connection_->is_stale()) connection_.reset();
    if (!connection_) {
      auto made = ipc::connect(endpoint_, deadline);
      if (!made) {
        log::warning("{}: {}", "queue manager", made.error().text);
        break;
      }
      connection_ = std::move(*made);
    }
    while (!waiting_.empty()) {
      std::vector<std::string> batch = std::exchange(waiting_, {});
      for (std::string& id : batch) {
        proto::MessageArrived notice;
        notice.queue_id = std::move(id);
        (void)connection_->put(notice);
      }
      if (!connection_->flush(deadline)) {
        connection_.reset();
        break;
      }
    }
  }
  waiting_.clear();
}

}  // namespace postrider::cleanup

#include "local/biff.h"

#include <fmt/format.h>

#include "log/log.h"
#include "sys/name_service.h"
#include "sys/socket.h"

namespace postrider::local {

namespace {

constexpr seconds kRetry{60};

}  // namespace

bool Biff::connect() {
  if (socket_) return true;
  if (failed_at_ && Clock::now() < *failed_at_ + kRetry) return false;
  failed_at_ = Clock::now();
  auto port = sys::udp_service_port("biff");
  if (!port) {
    log::warning("service not found: biff/udp");
    return false;
  }
  auto address = sys::Address::from_ip("127.0.0.1", *port);
  auto socket = sys::connect_datagram(*address);
  if (!socket) {
    log::warning("biff_notify: {}", socket.error().text);
    return false;
  }
  socket_ = std::move(*socket);
  return true;
}

void Biff::notify(const std::string& user, off_t offset) {
  if (!connect()) return;
  // The terminating null byte belongs to the message.
  std::string text = fmt::format("{}@{}", user, offset);
  text += '\0';
  sys::send_datagram(socket_.get(), text);
}

}  // namespace postrider::local

#include "service/master_link.h"

#include <sys/socket.h>

namespace postrider::service {

MasterLink::MasterLink(int fd, std::function<void()> on_retire)
    : fd_(fd), on_retire_(std::move(on_retire)), watch_(fd, [this] { on_message(); }) {
  watch_.enable();
}

void MasterLink::report(char state) {
  if (state == state_ || retired_) return;
  state_ = state;
  // When master is gone, on_message() finds out.
  (void)::send(fd_, &state, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void MasterLink::on_message() {
  char message = 0;
  ssize_t count = ::recv(fd_, &message, 1, MSG_DONTWAIT);
  if (count < 0) return;
  if (count == 1 && message != kRetire) return;
  retired_ = true;
  watch_.disable();
  on_retire_();
}

}  // namespace postrider::service

#include "sys/tcp_buffers.h"

#include <sys/socket.h>

namespace postrider::sys {

namespace {

int& buffer_size() {
  static int size = 0;
  return size;
}

}  // namespace

void set_tcp_buffer_size(int bytes) {
  buffer_size() = bytes;
}

void apply_tcp_buffer_size(int fd) {
  int size = buffer_size();
  if (size <= 0) return;
  // What the system does not allow stays as it is.
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

}  // namespace postrider::sys

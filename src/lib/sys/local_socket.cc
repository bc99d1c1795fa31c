#include "sys/local_socket.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include "sys/socket.h"

namespace postrider::sys {

Result<Fd> connect_local(const std::string& path, seconds limit) {
  Address address = TRY(Address::from_path(path));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(Error::from_errno("socket", errno));
  timeval time{.tv_sec = limit.count(), .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  while (::connect(fd.get(), address.get(), address.length()) < 0) {
    if (errno != EINTR) return std::unexpected(Error::from_errno("connect to " + path, errno));
  }
  return fd;
}

Result<void> send_local_datagram(const std::string& path, std::string_view data) {
  Address address = TRY(Address::from_path(path));
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return std::unexpected(Error::from_errno("socket", errno));
  while (::sendto(fd.get(), data.data(), data.size(), MSG_NOSIGNAL, address.get(), address.length()) < 0) {
    if (errno != EINTR) return std::unexpected(Error::from_errno("send to " + path, errno));
  }
  return {};
}

}  // namespace postrider::sys

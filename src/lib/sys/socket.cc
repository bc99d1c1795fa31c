#include "sys/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "sys/tcp_buffers.h"

namespace postrider::sys {

Address::Address(const sockaddr* address, socklen_t length)
    : length_(std::min<socklen_t>(length, sizeof storage_)) {
  memcpy(static_cast<void*>(&storage_), address, length_);
}

std::optional<Address> Address::from_ip(std::string_view text, uint16_t port) {
  std::string copy(text);  // inet_pton() wants a terminator.
  Address out;
  if (inet_pton(AF_INET, copy.c_str(), &out.storage_.v4.sin_addr) == 1) {
    out.storage_.v4.sin_family = AF_INET;
    out.length_ = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, copy.c_str(), &out.storage_.v6.sin6_addr) == 1) {
    out.storage_.v6.sin6_family = AF_INET6;
    out.length_ = sizeof(sockaddr_in6);
  } else {
    return std::nullopt;
  }
  out.set_port(port);
  return out;
}

Address Address::from_bytes(std::span<const uint8_t> bytes, uint16_t port) {
  Address out;
  if (bytes.size() == 4) {
    out.storage_.v4.sin_family = AF_INET;
    memcpy(&out.storage_.v4.sin_addr, bytes.data(), 4);
    out.length_ = sizeof(sockaddr_in);
  } else if (bytes.size() == 16) {
    out.storage_.v6.sin6_family = AF_INET6;
    memcpy(&out.storage_.v6.sin6_addr, bytes.data(), 16);
    out.length_ = sizeof(sockaddr_in6);
  }
  out.set_port(port);
  return out;
}

Result<Address> Address::from_path(std::string_view path) {
  Address out;
  if (path.size() >= sizeof out.storage_.local.sun_path) {
    return fail(ErrorKind::limit, fmt::format("socket name too long ({} bytes, at most {}): {}", path.size(),
                                              sizeof out.storage_.local.sun_path - 1, path));
  }
  out.storage_.local.sun_family = AF_UNIX;
  memcpy(out.storage_.local.sun_path, path.data(), path.size());
  out.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return out;
}

bool Address::is_loopback() const {
  if (is_ipv4()) return bytes()[0] == 127;
  if (is_ipv6()) return IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr);
  return false;
}

std::string Address::ip() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (is_ipv4()) return inet_ntop(AF_INET, &storage_.v4.sin_addr, out.data(), out.size());
  if (is_ipv6()) return inet_ntop(AF_INET6, &storage_.v6.sin6_addr, out.data(), out.size());
  if (is_unix() && length_ > offsetof(sockaddr_un, sun_path)) {
    return std::string(storage_.local.sun_path,
                       strnlen(storage_.local.sun_path, length_ - offsetof(sockaddr_un, sun_path)));
  }
  return "";
}

uint16_t Address::port() const {
  if (is_ipv4()) return ntohs(storage_.v4.sin_port);
  if (is_ipv6()) return ntohs(storage_.v6.sin6_port);
  return 0;
}

void Address::set_port(uint16_t port) {
  if (is_ipv4()) storage_.v4.sin_port = htons(port);
  if (is_ipv6()) storage_.v6.sin6_port = htons(port);
}

std::span<const uint8_t> Address::bytes() const {
  if (is_ipv4()) return {reinterpret_cast<const uint8_t*>(&storage_.v4.sin_addr), 4};
  if (is_ipv6()) return {reinterpret_cast<const uint8_t*>(&storage_.v6.sin6_addr), 16};
  return {};
}

Address Address::unmapped() const {
  if (!is_ipv6() || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) return *this;
  return from_bytes(bytes().subspan(12), port());
}

bool operator==(const Address& a, const Address& b) {
  if (a.family() != b.family() || a.port() != b.port()) return false;
  if (a.is_unix()) return a.ip() == b.ip();
  return std::ranges::equal(a.bytes(), b.bytes());
}

namespace {

Result<Fd> new_socket(int family, int type) {
  int fd = ::socket(family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno("socket");
  return Fd(fd);
}

Result<void> bind_to(int fd, const Address& address) {
  if (::bind(fd, address.get(), address.length()) < 0) {
    return fail_errno(address.is_unix() ? fmt::format("bind {}", address.ip())
                                        : fmt::format("bind {} port {}", address.ip(), address.port()));
  }
  return {};
}

Result<void> bind_path(int fd, const Address& address) {
  std::string path = address.ip();
  struct stat st{};
  if (::lstat(path.c_str(), &st) == 0 && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode)))
    ::unlink(path.c_str());
  TRY(bind_to(fd, address));
  if (::chmod(path.c_str(), 0666) < 0) return fail_errno("chmod " + path);
  return {};
}

}  // namespace

Result<Fd> listen_stream(const Address& address, int backlog) {
  Fd fd = TRY(new_socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK));
  if (address.is_unix()) {
    TRY(bind_path(fd.get(), address));
  } else {
    apply_tcp_buffer_size(fd.get());
    int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.is_ipv6()) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    TRY(bind_to(fd.get(), address));
  }
  if (::listen(fd.get(), backlog) < 0) return fail_errno("listen");
  return fd;
}

Result<Fd> bind_datagram(const Address& address) {
  Fd fd = TRY(new_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK));
  TRY(bind_path(fd.get(), address));
  return fd;
}

Result<Fd> start_connect(const Address& to, const std::optional<Address>& local) {
  Fd fd = TRY(new_socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK));
  if (local && ::bind(fd.get(), local->get(), local->length()) < 0) {
    return fail(ErrorKind::denied, strerror(errno));
  }
  if (to.is_ip()) {
    apply_tcp_buffer_size(fd.get());
    int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(fd.get(), to.get(), to.length()) < 0 && errno != EINPROGRESS && errno != EINTR) {
    return std::unexpected(Error::from_errno("", errno));
  }
  return fd;
}

Result<void> connect_outcome(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  if (error != 0) return std::unexpected(Error::from_errno("", error));
  return {};
}

Result<Fd> connect_blocking(const Address& to) {
  Fd fd = TRY(new_socket(to.family(), SOCK_STREAM));
  while (::connect(fd.get(), to.get(), to.length()) < 0) {
    if (errno != EINTR) return fail_errno("connect to " + to.ip());
  }
  return fd;
}

Result<Fd> connect_datagram(const Address& to) {
  Fd fd = TRY(new_socket(to.family(), SOCK_DGRAM));
  TRY(set_nonblocking(fd.get()));
  if (::connect(fd.get(), to.get(), to.length()) < 0) return fail_errno("connect to " + to.ip());
  return fd;
}

void send_datagram(int fd, std::string_view data) {
  // Nobody may listen, or the buffer may be full: datagrams come with that.
  (void)::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
}

Result<std::optional<Accepted>> accept_one(int listener) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    // Errors of the connection itself, not of the listener (accept(2) on Linux passes them on).
    switch (errno) {
      case EAGAIN:
      case EINTR:
      case ECONNABORTED:
      case EPROTO:
      case ENETDOWN:
      case ENETUNREACH:
      case EHOSTDOWN:
      case EHOSTUNREACH:
      case ETIMEDOUT:
        return std::nullopt;
      default:
        return fail_errno("accept");
    }
  }
  if (peer.ss_family != AF_UNIX) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  return Accepted{Fd(fd), Address(reinterpret_cast<sockaddr*>(&peer), length)};
}

Result<size_t> send_buffer_size(int fd) {
  int size = 0;
  socklen_t length = sizeof size;
  if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) != 0) return fail_errno("getsockopt");
  return static_cast<size_t>(size);
}

Result<Address> local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) < 0) return fail_errno("getsockname");
  return Address(reinterpret_cast<sockaddr*>(&storage), length);
}

Result<Address> peer_address(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) < 0) return fail_errno("getpeername");
  return Address(reinterpret_cast<sockaddr*>(&storage), length);
}

Result<SocketPair> make_socket_pair(int type) {
  int ends[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0) return fail_errno("socketpair");
  return SocketPair{Fd(ends[0]), Fd(ends[1])};
}

Result<uid_t> peer_user(int fd) {
#ifdef SO_PEERCRED
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return fail_errno("SO_PEERCRED");
  return credentials.uid;
#else
  uid_t uid;
  gid_t gid;
  if (getpeereid(fd, &uid, &gid) < 0) return fail_errno("getpeereid");
  return uid;
#endif
}

Result<void> send_with_fd(int socket, std::string_view data, int fd) {
  iovec part{const_cast<char*>(data.data()), data.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  for (;;) {
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return {};
    if (errno != EINTR) return fail_errno("sendmsg");
  }
}

Result<size_t> receive_with_fd(int socket, void* data, size_t size, Fd& received) {
  iovec part{data, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = 0;
  while ((count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) return fail_errno("recvmsg");
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      int fd = -1;
      memcpy(&fd, CMSG_DATA(header), sizeof fd);
      received.reset(fd);
    }
  }
  return static_cast<size_t>(count);
}

}  // namespace postrider::sys

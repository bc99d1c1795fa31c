// Sockets and their addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/fd.h"

namespace postrider::sys {

/// An IPv4, IPv6 or UNIX-domain socket address.
class Address {
 public:
  Address() = default;
  Address(const sockaddr* address, socklen_t length);

  /// A numeric IPv4 or IPv6 address, without brackets or "IPv6:" prefix.
  static std::optional<Address> from_ip(std::string_view text, uint16_t port = 0);
  /// The 4 or 16 bytes of an address in network order.
  static Address from_bytes(std::span<const uint8_t> bytes, uint16_t port = 0);
  static Result<Address> from_path(std::string_view path);

  int family() const { return storage_.any.sa_family; }
  bool is_ipv4() const { return family() == AF_INET; }
  bool is_ipv6() const { return family() == AF_INET6; }
  bool is_ip() const { return is_ipv4() || is_ipv6(); }
  bool is_unix() const { return family() == AF_UNIX; }
  bool is_loopback() const;

  /// "192.0.2.1", "2001:db8::1" (no brackets, no scope), or the path of a UNIX-domain socket.
  std::string ip() const;
  uint16_t port() const;
  void set_port(uint16_t port);
  /// The address bytes in network order: 4, 16 or none.
  std::span<const uint8_t> bytes() const;
  /// An IPv4-mapped IPv6 address as the IPv4 address that it stands for; others unchanged.
  Address unmapped() const;

  const sockaddr* get() const { return &storage_.any; }
  socklen_t length() const { return length_; }

  friend bool operator==(const Address& a, const Address& b);

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  } storage_{};
  socklen_t length_ = 0;
};

/// A bound, listening, non-blocking stream socket. A stale UNIX-domain socket at the path is replaced and
/// gets mode 0666: access is governed by the directory.
Result<Fd> listen_stream(const Address& address, int backlog);
/// A bound UNIX-domain datagram socket, mode 0666.
Result<Fd> bind_datagram(const Address& address);
/// A non-blocking connection attempt, under way or done; `local` is the address to bind, if any:
/// ErrorKind::denied when that cannot be used.
Result<Fd> start_connect(const Address& to, const std::optional<Address>& local = std::nullopt);
/// The outcome of an attempt that has become writable.
Result<void> connect_outcome(int fd);
/// A blocking connection attempt, for command-line tools.
Result<Fd> connect_blocking(const Address& to);

/// A non-blocking datagram socket that sends to `to`.
Result<Fd> connect_datagram(const Address& to);
/// Sends a datagram that may get lost, also here.
void send_datagram(int fd, std::string_view data);

struct Accepted {
  Fd fd;
  Address peer;
};
/// Accepts one connection, non-blocking and close-on-exec; nothing when none is waiting.
Result<std::optional<Accepted>> accept_one(int listener);

/// What the kernel takes on for sending, in bytes of its own reckoning (SO_SNDBUF).
Result<size_t> send_buffer_size(int fd);

Result<Address> local_address(int fd);
Result<Address> peer_address(int fd);

struct SocketPair {
  Fd first, second;
};
/// Connected UNIX-domain sockets of `type` (SOCK_STREAM or SOCK_SEQPACKET), close-on-exec.
Result<SocketPair> make_socket_pair(int type);

/// The user id at the other end of a UNIX-domain socket.
Result<uid_t> peer_user(int fd);

/// Sends `data` with one descriptor attached; the data must not be empty.
Result<void> send_with_fd(int socket, std::string_view data, int fd);
/// Receives at most `size` bytes and at most one descriptor (close-on-exec).
Result<size_t> receive_with_fd(int socket, void* data, size_t size, Fd& received);

}  // namespace postrider::sys

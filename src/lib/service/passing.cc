#include "service/passing.h"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "io/loop.h"
#include "net/proxy_header.h"

namespace postrider::service {

namespace {

/// The longest line of the PROXY protocol's version 1.
constexpr size_t kMaxMessage = 107;

std::optional<Arrival> identify(sys::Fd fd, std::string_view message) {
  (void)sys::set_nonblocking(fd.get());
  Arrival out{.fd = std::move(fd), .peer = {}, .local = std::nullopt, .passed = true};
  if (message.starts_with('P')) {
    auto parsed = net::parse_proxy_header(message);
    if (!parsed || !*parsed || (*parsed)->header.local) return std::nullopt;
    out.peer = (*parsed)->header.client;
    out.local = (*parsed)->header.server;
    return out;
  }
  auto peer = sys::peer_address(out.fd.get());
  if (!peer) return std::nullopt;
  out.peer = *peer;
  return out;
}

}  // namespace

Result<void> pass_client(io::Stream& carrier, int fd, const std::optional<Ends>& ends, Deadline deadline) {
  std::string message = ends ? net::proxy_line(ends->client, ends->server) : std::string(1, '\0');
  // The first message on a connection: there is room for it.
  TRY(sys::send_with_fd(carrier.fd(), message, fd));
  auto more = carrier.fill(deadline);
  if (more) return {};
  return std::unexpected(std::move(more).error());
}

std::optional<Arrival> receive_client(sys::Fd carrier, Deadline deadline) {
  if (!sys::set_nonblocking(carrier.get())) return std::nullopt;
  io::FdEvents events(carrier.get());
  for (;;) {
    std::array<char, kMaxMessage> buffer;
    sys::Fd fd;
    auto count = sys::receive_with_fd(carrier.get(), buffer.data(), buffer.size(), fd);
    if (count && fd) return identify(std::move(fd), std::string_view(buffer.data(), *count));
    if (count || count.error().code != EAGAIN) return std::nullopt;
    if (!events.wait_readable(deadline)) return std::nullopt;
  }
}

}  // namespace postrider::service

#include "smtp/connector.h"

#include <cerrno>

#include <fmt/format.h>

#include "io/fiber.h"
#include "log/log.h"
#include "smtp/ledger.h"

namespace postrider::smtp_client {

namespace {

/// How long to wait before another try when the queue of a UNIX-domain socket is full: for that, no event
/// tells.
constexpr milliseconds kBusyDelay{20};

}  // namespace

std::expected<io::Stream, mail::DeliveryStatus> open_connection(const Settings& settings,
                                                                const sys::Address& to,
                                                                const smtp::Peer& peer) {
  const SourceAddress& source = to.is_ipv6() ? settings.source6 : settings.source4;
  std::optional<sys::Address> from = to.is_ip() ? source.address : std::nullopt;
  Deadline deadline = settings.connect_deadline();
  for (;;) {
    auto stream = io::connect(to, from, deadline);
    if (stream) return std::move(*stream);
    const Error& error = stream.error();
    if (error.kind == ErrorKind::denied && from) {
      log::warning("smtp_connect_addr: bind {}: {}", from->ip(), error.text);
      if (source.required) return std::unexpected(local_failure("4.4.0", "server configuration error"));
      from.reset();
    } else if (error.code == EAGAIN && to.is_unix() && !deadline.passed()) {
      io::sleep_for(kBusyDelay);
    } else {
      return std::unexpected(
          local_failure("4.4.1", fmt::format("connect to {}: {}", peer.name_with_port(), error.text)));
    }
  }
}

}  // namespace postrider::smtp_client

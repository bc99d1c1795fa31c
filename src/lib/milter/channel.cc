#include "milter/channel.h"

#include <cerrno>
#include <cstring>

#include "net/endpoint.h"

namespace postrider::milter {

std::unexpected<Error> GoneChannel::gone() {
  return std::unexpected(Error(ErrorKind::system, EPIPE, std::strerror(EPIPE)));
}

Result<Packet> StreamChannel::receive(Deadline deadline) {
  std::string header = TRY(stream_.read_exact(kPacketHeader, deadline));
  uint32_t length = TRY(packet_length(header));
  std::string bytes = TRY(stream_.read_exact(length, deadline));
  Packet out{bytes.front(), {}};
  out.data = bytes.erase(0, 1);
  return out;
}

Result<std::unique_ptr<Channel>> open_channel(std::string_view endpoint, Deadline deadline) {
  return std::make_unique<StreamChannel>(TRY(net::connect(endpoint, {}, deadline)));
}

}  // namespace postrider::milter

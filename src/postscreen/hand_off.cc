#include "postscreen/hand_off.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "io/fiber.h"
#include "io/stream.h"

namespace postrider::postscreen {

namespace {

/// For room in the service's queue, and for a process that takes the client.
constexpr seconds kConnectTime{10}, kTakeTime{100};
constexpr Clock::duration kFirstPause = milliseconds(2), kLongestPause = milliseconds(200);

/// The queue of a UNIX-domain socket that is full gives no sign when there is room again.
Result<io::Stream> connect(const sys::Address& address, Deadline deadline) {
  for (Clock::duration pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    auto carrier = io::connect(address, std::nullopt, deadline);
    if (carrier || carrier.error().code != EAGAIN || deadline.passed()) return carrier;
    io::sleep_until(Deadline::after(pause).or_sooner(deadline));
  }
}

}  // namespace

Result<void> hand_off(const std::string& service, int fd, const std::optional<service::Ends>& ends) {
  const std::string path = "private/" + service;
  auto address = sys::Address::from_path(path);
  auto carrier = address ? connect(*address, Deadline::after(kConnectTime))
                         : Result<io::Stream>(std::unexpected(address.error()));
  if (!carrier)
    return fail(ErrorKind::temporary,
                fmt::format("cannot connect to service {}: {}", path, carrier.error().text));
  auto passed = service::pass_client(*carrier, fd, ends, Deadline::after(kTakeTime));
  if (passed) return {};
  if (passed.error().kind == ErrorKind::timeout)
    return fail(ErrorKind::timeout, fmt::format("timeout sending connection to service {}", path));
  return fail(ErrorKind::temporary,
              fmt::format("problem sending connection to service {}: {}", path, passed.error().text));
}

}  // namespace postrider::postscreen

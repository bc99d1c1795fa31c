#include "sys/blocking.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace postrider::sys {

Result<bool> wait_readable(int fd, std::chrono::seconds limit) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point end = Clock::now() + limit;
  struct pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);
    int found = ::poll(&wanted, 1, static_cast<int>(std::clamp(left, {}, kLongest).count()));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) return fail_errno("poll");
    if (Clock::now() >= end) return false;
  }
}

}  // namespace postrider::sys

// Waiting for a line as long as the time limit of a request says.
#pragma once

#include <string_view>

#include "io/stream.h"
#include "smtp/pace.h"

namespace postrider::smtp {

/// Waits until a line of at most `max` bytes, or more than such a line, has arrived. Where each wait has a
/// time of its own, that begins anew with each piece of the line. Only running out of time is an error:
/// whatever else goes wrong, Stream::read_line() finds out.
inline Result<void> await_line(io::Stream& stream, size_t max, const Pace& pace) {
  for (size_t searched = 0;;) {
    std::string_view have = stream.buffered();
    if (have.find('\n', searched) != std::string_view::npos || have.size() > max + 1) return {};
    searched = have.size();
    auto more = stream.fill(pace.deadline());
    if (!more && more.error().kind == ErrorKind::timeout) return std::unexpected(std::move(more).error());
    if (!more || !*more) return {};
  }
}

}  // namespace postrider::smtp

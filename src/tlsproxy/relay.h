// Passing on what is said between two connections.
#pragma once

#include "base/deadline.h"
#include "io/loop.h"
#include "io/stream.h"

namespace postrider::tlsproxy {

/// Passes everything on, both ways, until one side has ended and the other one knows. No more is read from a
/// side than the other one takes.
class Relay {
 public:
  /// `secure` has TLS between it and its descriptor. `idle`: how long nothing may be said by either side.
  /// Without `fast_shutdown`, the peer's goodbye is waited for.
  Relay(io::Stream& plain, io::Stream& secure, seconds idle, bool fast_shutdown);
  void run();

 private:
  void pump(io::Stream& from, io::Stream& to);
  bool wait_for_more(io::Stream& from);
  void end(io::Stream& from);
  void hang_up();

  io::Stream& plain_;
  io::Stream& secure_;
  seconds idle_;
  bool fast_shutdown_;
  Clock::time_point last_;  ///< When something was said.
  io::Timer goodbye_;
  bool plain_ended_ = false;
};

}  // namespace postrider::tlsproxy

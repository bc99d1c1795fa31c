// How master and a daemon talk: one SOCK_SEQPACKET pair per process, one byte a message.
#pragma once

#include <functional>
#include <memory>

#include "io/loop.h"

namespace postrider::service {

/// From the daemon. A process counts as available when it starts.
inline constexpr char kAvailable =
    'A';  ///< Takes clients; also sent with the first one, to say that it got so far.
inline constexpr char kTaken = 'T';    ///< Has as many clients as it can: another process may be started.
inline constexpr char kLagging = 'B';  ///< Its clients wait for the processor: likewise.
inline constexpr char kLeaving = 'L';  ///< Takes no more clients and leaves when those it has are done.
/// From master.
inline constexpr char kRetire =
    'R';  ///< The configuration has changed: finish the clients you have and leave.

/// The daemon's end.
class MasterLink {
 public:
  /// `on_retire` is called once, when master asks for it or is gone.
  MasterLink(int fd, std::function<void()> on_retire);
  /// One of the above; what was said last is not said again.
  void report(char state);

 private:
  void on_message();
  int fd_;
  char state_ = 0;
  bool retired_ = false;
  std::function<void()> on_retire_;
  io::ReadWatch watch_;
};

}  // namespace postrider::service

// How master and a daemon talk: one SOCK_SEQPACKET pair per process, one byte a message.
#pragma once

#include <functional>
#include <memory>

#include "io/loop.h"

namespace postrider::service {

/// From the daemon. A process counts as available when it starts.
inline constexpr char kTaken = 'T';      ///< Takes no more clients now: another process may be started.
inline constexpr char kAvailable = 'A';  ///< Takes clients again.
/// From master.
inline constexpr char kRetire = 'R';  ///< The configuration has changed: finish the clients you have and leave.

/// The daemon's end.
class MasterLink {
 public:
  /// `on_retire` is called once, when master asks for it or is gone.
  MasterLink(int fd, std::function<void()> on_retire);
  void set_available(bool available);

 private:
  void on_message();
  int fd_;
  bool available_ = true;
  bool retired_ = false;
  std::function<void()> on_retire_;
  io::ReadWatch watch_;
};

}  // namespace postrider::service

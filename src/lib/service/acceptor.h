// Accepting clients within limits.
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "base/deadline.h"
#include "io/loop.h"
#include "io/sync.h"
#include "service/passing.h"
#include "sys/socket.h"

namespace postrider::service {

struct AcceptorLimits {
  int max_clients = 1;
  size_t max_use = 0;   ///< Clients after which the process is worn out; 0: never.
  seconds max_idle{0};  ///< Without a client for so long, the process is not needed; 0: never.
};

/// Whether another client would be served.
enum class Room : unsigned char {
  free,     ///< At once.
  lagging,  ///< Yes, but clients wait for the processor.
  full,     ///< When one of those here has left.
  none,     ///< Not any more.
};

class Acceptor {
 public:
  /// `serve` runs in a fiber for each client.
  Acceptor(AcceptorLimits limits, std::function<void(Arrival)> serve);

  /// `passes_descriptors`: each connection brings the client's descriptor (type "pass").
  void add_listener(sys::Fd listener, bool passes_descriptors);
  /// Takes no more clients, and closes the listeners: a new master may have to open them again.
  void stop();
  int active() const { return active_; }

  /// Called when it may have changed.
  void on_room(std::function<void(Room)> call) { room_changed_ = std::move(call); }
  /// The last client has gone.
  void on_idle(std::function<void()> call) { idle_ = std::move(call); }
  /// max_use or max_idle has been reached: no more clients are accepted.
  void on_worn_out(std::function<void()> call) { worn_out_ = std::move(call); }

 private:
  void start_client(sys::Accepted accepted, bool passed);
  void end_client();
  void measure_lag();

  AcceptorLimits limits_;
  std::function<void(Arrival)> serve_;
  void report_room();
  void listen(int listener, io::FdEvents& events, bool passes_descriptors);
  std::function<void(Room)> room_changed_;
  std::function<void()> idle_, worn_out_;
  io::Condition room_;
  int active_ = 0;
  size_t served_ = 0;
  bool stopped_ = false;
  bool lagging_ = false;
  std::set<io::FdEvents*> listening_;
  io::Timer idle_timer_;
  io::Timer lag_timer_;
};

}  // namespace postrider::service

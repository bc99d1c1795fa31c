// Readiness as callbacks, for libraries that bring their own sockets.
#pragma once

#include <functional>
#include <memory>

#include "io/loop.h"

namespace postrider::io {

/// Calls back, on the loop and not in a fiber, as long as the descriptor is ready in a direction of interest
/// (level-triggered). The callback may destroy the watch. The descriptor must stay open while it is watched.
class FdWatch {
 public:
  using Call = std::function<void(bool readable, bool writable)>;
  FdWatch(int fd, Call call);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  /// What to watch for from now on; nothing at first.
  void want(bool readable, bool writable);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postrider::io

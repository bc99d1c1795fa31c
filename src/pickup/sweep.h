// Going through the maildrop queue.
#pragma once

#include "clients/cleanup.h"
#include "pickup/settings.h"
#include "queue/store.h"

namespace postrider::pickup {

/// Picks up everything that is in maildrop, over and over until a round finds nothing that can be taken away.
/// Several messages are under way at a time, so that they share the cost of getting to the disk. What another
/// process has in hand is looked at again a little later: the next wake-up may be a minute away.
class Sweep {
 public:
  Sweep(const Settings& settings, const queue::Store& store, clients::CleanupClient& cleanup)
      : settings_(settings), store_(store), cleanup_(cleanup) {}

  /// Runs until nothing is left; called again meanwhile, another round follows.
  void run();
  bool running() const { return running_; }

 private:
  size_t round();

  const Settings& settings_;
  const queue::Store& store_;
  clients::CleanupClient& cleanup_;
  bool running_ = false;
  bool again_ = false;
  size_t busy_ = 0;  // Files of the last round that others had in hand.
};

}  // namespace postrider::pickup

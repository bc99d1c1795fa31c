// Which messages enter the active queue next: scans of incoming and deferred, and what cleanup announces.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

#include "io/loop.h"
#include "io/sync.h"
#include "qmgr/active_queue.h"
#include "qmgr/settings.h"
#include "queue/store.h"

namespace postrider::qmgr {

/// New mail and deferred mail take turns while both wait, so that neither a flood of new mail nor a large
/// backlog holds up the other; and deferred mail never fills the places that new mail needs to enter at once.
class Feeder {
 public:
  Feeder(const Settings& settings, const queue::Store& store, ActiveQueue& active);

  /// Moves what a crash left in the active queue back to incoming. Before start().
  void recover();
  /// Starts the fibers that feed the active queue.
  void start();

  /// A message that cleanup has just committed.
  void announce(std::string id);
  void scan_incoming();
  /// `all`: whether or not their time has come.
  void scan_deferred(bool all);
  /// Deferred mail in this and the running scans is flushed: suspended destinations and defer_transports do
  /// not hold it back.
  void flush();

 private:
  /// A scan of one queue that goes on where it stopped.
  struct Source {
    queue::QueueName queue;
    std::optional<queue::Scan> scan;
    std::deque<std::string> found;  ///< Ready to enter.
    bool again = false;             ///< Asked for while one is running.
    bool ignore_time = false;
    bool ignore_time_again = false;
    bool flush = false;
    bool flush_again = false;
  };

  void feed();
  void run_scans(Source& source);
  void request(Source& source, bool ignore_time, bool flush);
  bool refill(Source& source);
  std::optional<std::string> next_new();
  bool feed_new();
  bool feed_deferred();
  void admit(std::string id, queue::QueueName from, bool flush, size_t& entering);

  const Settings& settings_;
  const queue::Store& store_;
  ActiveQueue& active_;
  std::deque<std::string> announced_;
  Source incoming_{.queue = queue::QueueName::incoming};
  Source deferred_{.queue = queue::QueueName::deferred};
  io::Condition work_;
  // Messages being read and routed.
  size_t new_entering_ = 0, deferred_entering_ = 0;
  io::Timer deferred_timer_;
};

}  // namespace postrider::qmgr

// Going through the queues for a listing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/showq.h"
#include "queue/store.h"
#include "showq/report.h"

namespace postrider::showq {

/// Lists the queues in bounded memory, a batch of entries at a time. Reads files and directories: not for the
/// event loop's thread.
class Lister {
 public:
  Lister(const queue::Store& store, const Rules& rules) : store_(store), rules_(rules) {}

  struct Batch {
    std::vector<proto::QueueEntry> entries;
    std::vector<std::string> warnings;
    bool done = false;  ///< Nothing is left.
  };
  Batch next();

 private:
  bool next_message(Batch& batch);
  std::optional<queue::Scan::Entry> next_file(Batch& batch);

  const queue::Store& store_;
  const Rules& rules_;
  size_t at_ = 0;  // Index of the queue that is being listed.
  std::optional<queue::Scan> scan_;
  std::optional<Report> report_;  // Of the message that is being listed.
};

}  // namespace postrider::showq

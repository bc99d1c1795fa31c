// Bringing new queue files to the disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "queue/files.h"

namespace postrider::queue {

class Durability {
 public:
  virtual ~Durability() = default;

  /// The file, and then its name in the directories, are on disk when this has returned. After a failure, or
  /// when the deadline passed, it is unknown what is on disk; syncing again proves nothing, since the system
  /// may have dropped what it could not write.
  virtual Result<void> sync(std::shared_ptr<File> file, const std::vector<std::string>& directories,
                            Deadline deadline) = 0;
};

/// One file after the other, in the calling thread: for commands, which write one message and have no event
/// loop.
class PlainDurability : public Durability {
 public:
  explicit PlainDurability(Files& files) : files_(files) {}
  Result<void> sync(std::shared_ptr<File> file, const std::vector<std::string>& directories,
                    Deadline deadline) override;

 private:
  Files& files_;
};

}  // namespace postrider::queue

// Makes new queue files durable, many at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "io/sync.h"
#include "queue/durability.h"

namespace postrider::queue {

/// Syncs files on the offload threads side by side, and each directory once for all who wait for it: while
/// one sync of a directory runs, the next ones gather behind it. A file that comes alone waits for nobody.
/// One object serves a process and lives as long as its event loop. Outside a fiber everything is done at
/// once, in order.
class Committer : public Durability {
 public:
  explicit Committer(Files& files) : files_(files) {}
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  Result<void> sync(std::shared_ptr<File> file, const std::vector<std::string>& directories,
                    Deadline deadline) override;

  /// All names that are in the directory now are on disk when this has returned.
  Result<void> sync_directory(const std::string& directory, Deadline deadline);

 private:
  struct Batch {
    bool done = false;
    Result<void> result;
    io::Condition finished;
  };
  struct Waiting {
    std::shared_ptr<Batch> next;  // Those for whom no sync has begun.
    bool running = false;
  };
  void run(Waiting& waiting, const std::string& directory);

  Files& files_;
  std::map<std::string, Waiting> directories_;
};

}  // namespace postrider::queue

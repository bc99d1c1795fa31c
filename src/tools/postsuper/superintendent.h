// The jobs of postsuper(1) on queue files, one by one or all at once.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "queue/store.h"

namespace postrider::postsuper {

/// What to do with messages.
enum class Action : unsigned char { remove, requeue, hold, release, expire, expire_and_release };

using Queues = std::vector<queue::QueueName>;

/// A pass over whole queues. Several may be asked for at once.
struct Sweep {
  bool purge = false;            ///< Remove incomplete files that have been lying about for a week.
  bool structure = false;        ///< Names after inode numbers, files where they belong.
  bool check_long_ids = false;   ///< With `structure`: long ids must name the inode too.
  std::optional<Action> action;  ///< For every message.
};

struct Counts {
  int removed = 0, requeued = 0, held = 0, released = 0, expired = 0;
  int renamed = 0;    ///< Messages that now have an id that names their inode.
  int misnamed = 0;   ///< Messages whose id did not.
  int misplaced = 0;  ///< Files that were in the wrong directory.
};

/// Queue files may come and go meanwhile: what vanishes is passed over.
class Superintendent {
 public:
  /// `store` must outlive this object. `now` decides what is old.
  Superintendent(const queue::Store& store, int64_t now) : store_(store), now_(now) {}

  /// One message, in the first of the queues that has it. Whether one was found.
  bool apply(Action action, const Queues& queues, std::string_view id);

  /// All files of the queues. With `structure`, messages that got a new id have "#FIX" behind it afterwards:
  /// a second pass takes it off, when all files that belong to them have been renamed too.
  Result<void> sweep(const Sweep& what, const Queues& queues);

  const Counts& counts() const { return counts_; }
  /// Lets a sweep end after the current file.
  void stop() { stopped_ = true; }

 private:
  struct Found {
    queue::QueueName queue;
    std::string path;
    std::string name;
    queue::FileStatus status;
  };

  Result<void> walk(const Sweep& what, queue::QueueName queue, const std::string& directory, size_t depth);
  void visit(const Sweep& what, Found& file);
  bool discard(const Sweep& what, const Found& file);
  bool take_off_suffix(const Found& file);
  bool rename_after_inode(const Found& file);
  bool names_inode(const Sweep& what, std::string_view id, uint64_t inode) const;

  /// Does the action on a file; whether something was done. Logs the single message when `each`.
  bool act(Action action, const Found& file, bool each);
  bool expire(const Found& file, bool each);
  bool move(const Found& file, queue::QueueName to);
  std::optional<Found> find(queue::QueueName queue, std::string_view id) const;

  bool remove_file(const std::string& path);
  bool rename_file(const std::string& from, const std::string& to);
  void remove_subdirectory(const std::string& path, const char* kind);

  const queue::Store& store_;
  int64_t now_;
  Counts counts_;
  volatile bool stopped_ = false;
};

}  // namespace postrider::postsuper

// Writing a message into the maildrop queue, where pickup finds it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/message_writer.h"
#include "queue/store.h"
#include "sys/signal_cleanup.h"

namespace postrider::maildrop {

/// A file in maildrop that is being written. It is gone when the object goes, or a signal ends the process,
/// before commit().
class Drop {
 public:
  struct Options {
    /// Bytes of the largest file that is accepted; 0: any.
    uint64_t max_size = 0;
  };

  /// Creates the file and records the time of arrival. `files` must outlive the object.
  static Result<std::unique_ptr<Drop>> begin(queue::Files& files, queue::Layout layout, Options options);

  const std::string& id() const { return writer_->id(); }
  void append(queue::RecordType type, std::string_view data);
  /// The first failure: of a write, or ErrorKind::limit when the file has become too large. What is appended
  /// afterwards is dropped.
  std::optional<Error> error() const;

  /// Data and name are on disk when this has returned.
  Result<void> commit();

 private:
  /// The group that may add files to maildrop cannot read the directory, and so cannot sync it: then the name
  /// is as durable as the file system makes it with the sync of the file, which follows the naming.
  class DirectoryMayBeUnreadable : public queue::PlainDurability {
   public:
    using queue::PlainDurability::PlainDurability;
    Result<void> sync(std::shared_ptr<queue::File> file, const std::vector<std::string>& directories,
                      Deadline deadline) override;
  };

  Drop(queue::Files& files, queue::Layout layout, Options options)
      : options_(options), store_(files, std::move(layout)), durability_(files) {}

  Options options_;
  queue::Store store_;
  DirectoryMayBeUnreadable durability_;
  sys::RemoveOnSignal on_signal_;
  std::optional<queue::MessageWriter> writer_;
  bool too_large_ = false;
};

/// Tells pickup that there is something new. Not waited for: when nobody listens, or is too busy to be told,
/// pickup comes by itself. An error only when there is no such socket.
Result<void> notify_pickup(const std::string& socket_path);

}  // namespace postrider::maildrop

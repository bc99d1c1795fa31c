// Writing a queue file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "queue/durability.h"
#include "queue/record.h"
#include "queue/store.h"

namespace postrider::queue {

/// A message on its way into a queue. Records collect in memory and are written in pieces of 64 kB; nobody
/// else regards the file as a message before commit(). A message that is not committed is removed with the
/// object.
class MessageWriter {
 public:
  struct Options {
    QueueName queue = QueueName::incoming;
    bool size_record = true;  ///< Begin with a size record, for fill_size().
    mode_t extra_mode = 0;    ///< Added to the mode of the complete file.
  };

  /// Creates the file; the id is known from here on.
  static Result<MessageWriter> begin(Store& store, Durability& durability, Options options);
  static Result<MessageWriter> begin(Store& store, Durability& durability) {
    return begin(store, durability, Options());
  }
  MessageWriter(MessageWriter&& other) noexcept;
  MessageWriter& operator=(MessageWriter&&) = delete;
  ~MessageWriter();

  const std::string& id() const { return made_.id; }
  /// Of the file as it was created.
  const std::string& path() const { return made_.path; }
  CreationTime created() const { return made_.created; }

  /// Appends a record; returns its offset. After a failure to write, records are dropped: see error().
  uint64_t append(RecordType type, std::string_view data);
  /// Appends a pointer record that patch() with pointer_text() can change.
  uint64_t append_pointer(uint64_t target);
  /// Where the next record will stand.
  uint64_t position() const { return written_ + buffer_.size(); }

  /// Overwrites bytes that were appended before.
  void patch(uint64_t offset, std::string_view bytes);
  /// Sets the target of the pointer record at `offset`.
  void patch_pointer(uint64_t offset, uint64_t target);
  /// Fills in the size record at the beginning.
  void fill_size(const SizeRecord& size);

  /// The first failure to write, if any; commit() will return it.
  const std::optional<Error>& error() const { return error_; }

  /// Writes what has collected, so that file() can be read back.
  Result<void> flush();
  File& file() { return *made_.file; }

  /// Lets commit() put the file into another queue.
  void set_destination(QueueName queue) { destination_ = queue; }

  /// Makes the message complete and durable. This is the one function after which a sender may be told that
  /// the message is accepted: its data and its name are on disk. After an error the file is gone and nothing
  /// may be promised; is_disk_full() tells whether there was no room. To be called once.
  Result<void> commit(Deadline deadline);

  /// Removes the file.
  void abort();

 private:
  MessageWriter(Store& store, Durability& durability, Options options)
      : store_(store), durability_(durability), options_(options), destination_(options.queue) {}
  void write_out(size_t count);
  Result<void> finish(Deadline deadline);

  Store& store_;
  Durability& durability_;
  Options options_;
  QueueName destination_;
  QueueName current_{};
  NewFile made_;
  std::vector<std::string> new_directories_;
  std::string buffer_;
  uint64_t written_ = 0;
  std::optional<Error> error_;
  bool open_ = false;  // The file exists and is ours.
};

}  // namespace postrider::queue

// What tables with an index file have in common: locks, noticing changes, terminators.
#pragma once

#include <optional>
#include <string>

#include "table/internal.h"
#include "table/watched_file.h"

namespace postrider::table {

/// A table in an index file that other processes read and rebuild, ours and Postfix's. Every access holds the
/// lock that Postfix takes, because its postmap rewrites the file in place; under the lock the file is known
/// to be whole, and is opened again if it is not the one that was opened.
class IndexTable : public Table {
 public:
  Result<void> open();

  Owner owner() const override { return Owner::of_file(owner_); }
  bool is_stale() const override { return stale_; }
  Result<std::optional<Entry>> first(Deadline deadline) override { return sequence(true, deadline); }
  Result<std::optional<Entry>> next(Deadline deadline) override { return sequence(false, deadline); }
  void begin_batch() override { batch_ = true; }
  void end_batch() override;

 protected:
  IndexTable(std::string_view type, std::string_view name, std::string_view suffix,
             const OpenOptions& options);
  void set_duplicate_name(std::string_view name) { duplicate_name_ = name; }

  const std::string& index_path() const { return index_path_; }
  const OpenOptions& options() const { return options_; }

  bool exclusive() const { return options_.access == Access::exclusive; }
  /// Whether the lock is kept from one access to the next, so that nobody changes the file in between.
  bool holds_lock() const { return keeps_lock() || held_; }

  // What a kind of index does. All but try_lock() are called under the lock.
  /// ErrorKind::temporary when `wait` is not set and another process holds the lock.
  virtual Result<void> try_lock(int fd, bool exclusive, bool wait) = 0;
  virtual void unlock(int fd) = 0;
  /// Opens the file at index_path(); returns the descriptor that is used for it.
  virtual Result<int> open_index() = 0;
  virtual void close_index() = 0;
  /// The lock that was held is about to be released.
  virtual void end_reading() {}
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  /// False when the key exists and `replace` is not set.
  virtual Result<bool> set(std::string_view key, std::string_view value, bool replace) = 0;
  virtual Result<bool> erase(std::string_view key) = 0;
  virtual Result<std::optional<Entry>> step(bool first) = 0;
  /// Whether the library sees what others write to the file that it has open.
  virtual bool sees_changes() const { return false; }

  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override;
  Result<void> do_put(std::string_view key, std::string_view value, Deadline deadline) override;
  Result<bool> do_remove(std::string_view key, Deadline deadline) override;

 private:
  /// Releases the lock of one access.
  class Locked {
   public:
    explicit Locked(IndexTable* table) : table_(table) {}
    Locked(Locked&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}
    Locked& operator=(Locked&&) = delete;
    void keep() { table_ = nullptr; }
    ~Locked() {
      if (table_ != nullptr) table_->unlock(table_->file_.fd());
    }

   private:
    IndexTable* table_;
  };

  bool keeps_lock() const { return exclusive() || options_.keep_lock; }
  /// Opens the file that has the name now, in place of the one that is open. Keeps that when the new one
  /// cannot be opened, or is locked; ErrorKind::temporary in the latter case. With Access::exclusive the lock
  /// is kept.
  Result<void> lock_for_good(int fd);
  Result<void> open_current(bool wait);
  /// Waits for the lock, without blocking the event loop, and sees to it that the current file is open.
  Result<Locked> acquire(bool exclusive, Deadline deadline);
  Result<Locked> wait_for_lock(bool exclusive, Deadline deadline);
  /// One attempt at that; ErrorKind::temporary when another process holds the lock.
  Result<Locked> try_acquire(bool exclusive, bool wait);

  /// Under the lock: what became of the file that is open.
  enum class State : unsigned char {
    current,
    replaced,   ///< Another file has its name; the one that is open is still whole.
    rewritten,  ///< It has other content than what the library may have cached.
  };
  State state();
  Result<std::optional<Entry>> sequence(bool first, Deadline deadline);
  Result<void> updated();
  void warn_if_outdated();

  OpenOptions options_;
  std::string index_path_, duplicate_name_;
  bool open_ = false;
  WatchedFile file_;  // Also the descriptor that is locked.
  uid_t owner_ = 0;
  bool stale_ = false;
  bool batch_ = false, held_ = false;
  Clock::time_point retry_at_{};  // When a new file that could not be opened is tried again.
  bool with_terminator_ = true, without_terminator_ = true;  // The forms of a key to look for.
};

}  // namespace postrider::table

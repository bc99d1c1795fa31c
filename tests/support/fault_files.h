// A file system in memory for tests: it keeps apart what has been synced and what has not, loses the latter
// when asked to crash, and fails at the call that the test names.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "queue/files.h"

namespace postrider::test {

/// What a crash leaves of the changes that were not synced.
enum class Crash : unsigned char {
  loses_all,    ///< Nothing of names, content and modes.
  keeps_names,  ///< All names and modes, no content.
  keeps_some,   ///< Names, modes and 512-byte sectors at random.
  keeps_all,    ///< Everything, as if the process alone had died.
};

class FaultFiles final : public queue::Files {
 public:
  FaultFiles();
  ~FaultFiles() override;

  /// Calls that can fail so far; each call below and on an open file counts.
  size_t calls() const;
  /// The n-th call from now (1: the next) fails with this errno, once; a write leaves half of its data.
  void fail_at(size_t n, int error);
  /// From the n-th call from now on everything fails, until restart().
  void crash_at(size_t n);
  /// The machine comes up again after a crash. Open files of before must not be used any more.
  void restart(Crash crash, unsigned seed = 1);

  /// The content and mode of a file as a process sees it now; fails the test's expectation by being empty.
  std::string content(const std::string& path) const;
  /// All regular files, with their paths.
  std::vector<std::string> all_files() const;
  /// Replaces content behind everybody's back, synced.
  void set_content(const std::string& path, std::string content);

  Result<std::shared_ptr<queue::File>> open(const std::string& path, queue::OpenMode mode) override;
  Result<std::shared_ptr<queue::File>> create(const std::string& path, mode_t mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> rename_new(const std::string& from, const std::string& to) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> set_mode(const std::string& path, mode_t mode) override;
  Result<void> set_time(const std::string& path, int64_t seconds) override;
  Result<queue::FileStatus> status(const std::string& path) override;
  Result<void> make_directory(const std::string& path, mode_t mode) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<std::unique_ptr<queue::Directory>> open_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;

  /// While this is on, syncs wait, in whatever thread they run.
  void hold_syncs(bool on);

  /// How often each directory was synced.
  size_t directory_syncs(const std::string& path) const;

 private:
  friend class FaultFile;
  struct Node;
  using NodePointer = std::shared_ptr<Node>;
  /// One change of names: atomic, and durable when a directory that it touches is synced.
  struct Change {
    std::string from, to;  // Paths; empty: none.
    NodePointer node;
  };

  // All of these expect mutex_ to be held.
  Result<void> count();
  void wait_for_release(std::unique_lock<std::mutex>& lock);
  Result<NodePointer> find(const std::string& path) const;
  bool is_directory(const std::string& path) const;
  Result<void> check_parent(const std::string& path) const;
  Result<void> move(const std::string& from, const std::string& to, bool replace);
  void record(std::string from, std::string to, NodePointer node);
  static void apply(std::map<std::string, NodePointer>& names, const Change& change);

  mutable std::mutex mutex_;
  std::map<std::string, NodePointer> names_;    // By path, as processes see them.
  std::map<std::string, NodePointer> durable_;  // By path, as a crash would leave them.
  std::vector<Change> unsynced_;                // In order.
  std::map<std::string, size_t> directory_syncs_;
  uint64_t next_inode_ = 0x100;
  size_t calls_ = 0;
  size_t fail_call_ = 0;
  int fail_error_ = 0;
  size_t crash_call_ = 0;
  bool holding_ = false;
  std::condition_variable released_;
  int64_t now_ = 1'700'000'000;
};

}  // namespace postrider::test

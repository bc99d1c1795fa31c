// What a daemon remembers for itself in a table (address_verify_map, postscreen_cache_map) or in memory:
// entries that expire and are removed now and then.
//
// The table also says when it was cleaned last, under a key of Postfix's, so that a process that is replaced
// often cleans all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/deadline.h"
#include "base/result.h"
#include "base/text.h"
#include "table/table.h"

namespace postrider::table {

class RecordCache {
 public:
  /// In memory, with at most `max_entries`.
  explicit RecordCache(size_t max_entries = 500'000) : max_entries_(max_entries) {}
  /// In a table that nobody else writes to.
  explicit RecordCache(std::shared_ptr<Table> table) : table_(std::move(table)) {}

  /// Nothing when there is no entry; also once the cache has been closed. An error: the table cannot answer.
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline);
  Result<void> store(std::string_view key, std::string_view value, Deadline deadline);
  Result<void> remove(std::string_view key, Deadline deadline);

  struct Counts {
    size_t retained = 0, dropped = 0;
    bool complete = true;  ///< The cache was not closed meanwhile.
  };
  /// Says of a value whether it is to go; also of what is no value.
  using Expired = std::function<bool(std::string_view value)>;
  /// Removes what has expired, a few entries at a time so that others get their turn. `now`: seconds since
  /// 1970, as the time of this cleanup.
  Result<Counts> sweep(const Expired& expired, int64_t now);
  /// How long it is until the next sweep is due.
  seconds until_sweep(seconds interval, int64_t now);

  /// For log lines: "btree:/var/lib/postfix/verify_cache"; empty: in memory.
  const std::string& name() const { return name_; }
  bool closed() const { return closed_; }
  /// Brings what was stored since the last time to the disk. A cache needs no more than that now and then:
  /// what a crash takes is learned again.
  Result<void> flush();
  /// Brings everything to the disk and lets go of the table.
  void close();

 private:
  Result<Counts> sweep_table(const Expired& expired, int64_t now);

  std::shared_ptr<Table> table_;
  std::string name_ = table_ ? table_->spec() : std::string();
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> memory_;
  size_t max_entries_ = 0;
  int64_t memory_swept_ = 0;
  bool dirty_ = false, closed_ = false;
};

}  // namespace postrider::table

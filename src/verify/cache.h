// What is known of addresses, in a table (address_verify_map) or in memory.
//
// An entry is "status:probed:updated:text", as Postfix has it: the status in the numbers of
// proto::AddressStatus, and two times in seconds since 1970: when a probe was sent that has not been answered
// (0: none), and when the status was learned (0: never).
#pragma once

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
#include "proto/verify.h"
#include "table/table.h"

namespace postrider::verify {

struct Knowledge {
  proto::AddressStatus status = proto::AddressStatus::in_progress;
  int64_t probed = 0, updated = 0;
  std::string text;

  std::string entry() const;
  /// Nothing when the text is no entry.
  static std::optional<Knowledge> parse(std::string_view entry);
  friend bool operator==(const Knowledge&, const Knowledge&) = default;
};

class Cache {
 public:
  /// In memory, with at most `max_entries`.
  explicit Cache(size_t max_entries = 500'000) : max_entries_(max_entries) {}
  /// In a table that nobody else writes to.
  explicit Cache(std::shared_ptr<table::Table> table) : table_(std::move(table)) {}

  /// Nothing when there is no entry, or none that makes sense. An error: the table cannot answer.
  Result<std::optional<Knowledge>> find(std::string_view address, Deadline deadline);
  Result<void> store(std::string_view address, const Knowledge& knowledge, Deadline deadline);

  struct Counts {
    size_t retained = 0, dropped = 0;
  };
  /// Removes the entries that `expired` says so of, a few at a time so that others get their turn.
  Result<Counts> sweep(const std::function<bool(const Knowledge&)>& expired);
  /// For log lines: "btree:/var/lib/postfix/verify_cache"; empty: in memory.
  std::string_view name() const { return table_ ? std::string_view(table_->spec()) : std::string_view(); }
  /// Brings what was stored since the last time to the disk. A cache needs no more than that now and then:
  /// what a crash takes is asked for again.
  Result<void> flush();
  /// Brings everything to the disk and lets go of the table.
  void close();

 private:
  Result<Counts> sweep_table(const std::function<bool(const Knowledge&)>& expired);

  std::shared_ptr<table::Table> table_;
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> memory_;
  size_t max_entries_ = 0;
  bool dirty_ = false;
};

}  // namespace postrider::verify

#include "table/record_cache.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/fiber.h"

namespace postrider::table {

namespace {

/// Entries looked at in one turn of the loop.
constexpr size_t kSweepStep = 100;
/// When the last cleanup ended. Postfix reads and writes this, too.
constexpr std::string_view kSweptKey = "_LAST_CACHE_CLEANUP_COMPLETED_";

}  // namespace

Result<std::optional<std::string>> RecordCache::find(std::string_view key, Deadline deadline) {
  if (closed_) return std::nullopt;
  if (table_) return table_->lookup(key, deadline);
  auto it = memory_.find(key);
  return it == memory_.end() ? std::nullopt : std::optional(it->second);
}

Result<void> RecordCache::store(std::string_view key, std::string_view value, Deadline deadline) {
  if (closed_) return {};
  if (table_) {
    dirty_ = true;
    return table_->put(key, value, deadline);
  }
  if (memory_.size() >= max_entries_ && !memory_.contains(key)) memory_.erase(memory_.begin());
  memory_.insert_or_assign(std::string(key), std::string(value));
  return {};
}

Result<void> RecordCache::remove(std::string_view key, Deadline deadline) {
  if (closed_) return {};
  if (!table_) {
    if (auto it = memory_.find(key); it != memory_.end()) memory_.erase(it);
    return {};
  }
  dirty_ = true;
  TRY(table_->remove(key, deadline));
  return {};
}

Result<RecordCache::Counts> RecordCache::sweep(const Expired& expired, int64_t now) {
  if (closed_) return Counts{.complete = false};
  if (table_) return sweep_table(expired, now);
  Counts counts;
  counts.dropped = std::erase_if(memory_, [&](const auto& item) { return expired(item.second); });
  counts.retained = memory_.size();
  memory_swept_ = now;
  return counts;
}

Result<RecordCache::Counts> RecordCache::sweep_table(const Expired& expired, int64_t now) {
  // The table may be closed while this waits.
  std::shared_ptr<Table> table = table_;
  Counts counts;
  for (auto entry = TRY(table->first(Deadline::never())); entry; entry =
                                                                     TRY(table->next(Deadline::never()))) {
    if (entry->key == kSweptKey) continue;
    if (expired(entry->value)) {
      TRY(table->remove(entry->key, Deadline::never()));
      ++counts.dropped;
    } else {
      ++counts.retained;
    }
    if ((counts.dropped + counts.retained) % kSweepStep == 0) io::sleep_for(milliseconds(1));
    if (closed_) {
      counts.complete = false;
      return counts;
    }
  }
  TRY(table->put(kSweptKey, fmt::format("{}", now), Deadline::never()));
  TRY(table->sync());
  return counts;
}

seconds RecordCache::until_sweep(seconds interval, int64_t now) {
  int64_t last = memory_swept_;
  if (table_) {
    auto stored = find(kSweptKey, Deadline::never());
    auto number = stored && *stored ? parse_int(**stored) : std::nullopt;
    last = number.value_or(0);
  }
  // A clock that was set back must not put it off for long.
  if (last <= 0 || last > now) return last <= 0 ? seconds(0) : interval;
  return std::max(seconds(0), interval - seconds(now - last));
}

Result<void> RecordCache::flush() {
  if (!table_ || !std::exchange(dirty_, false)) return {};
  return table_->sync();
}

void RecordCache::close() {
  if (table_) (void)table_->sync();
  table_.reset();
  closed_ = true;
}

}  // namespace postrider::table

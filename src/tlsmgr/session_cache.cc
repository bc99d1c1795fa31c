#include "tlsmgr/session_cache.h"

#include <utility>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "io/fiber.h"

namespace postrider::tlsmgr {

namespace {

/// Entries looked at in one turn of the loop.
constexpr size_t kSweepStep = 100;

}  // namespace

bool SessionCache::is_current(std::string_view entry, std::time_t now) const {
  auto stored = parse_int(entry.substr(0, entry.find(':')));
  return stored && *stored <= now && now - *stored <= timeout_.count();
}

Result<std::optional<std::string>> SessionCache::find(std::string_view id, std::time_t now,
                                                      Deadline deadline) {
  if (!table_) return std::nullopt;
  auto entry = TRY(table_->lookup(id, deadline));
  if (!entry || !is_current(*entry, now)) return std::nullopt;
  return base64_decode(std::string_view(*entry).substr(entry->find(':') + 1));
}

Result<void> SessionCache::save(std::string_view id, std::string_view data, std::time_t now,
                                Deadline deadline) {
  if (!table_) return {};
  dirty_ = true;
  return table_->put(id, fmt::format("{}:{}", now, base64_encode(data)), deadline);
}

Result<void> SessionCache::remove(std::string_view id, Deadline deadline) {
  if (!table_) return {};
  dirty_ = true;
  TRY(table_->remove(id, deadline));
  return {};
}

Result<SessionCache::Counts> SessionCache::sweep(std::time_t now) {
  // The table may be closed while this waits.
  std::shared_ptr<table::Table> table = table_;
  Counts counts;
  if (!table) return counts;
  for (auto entry = TRY(table->first(Deadline::never())); entry; entry =
                                                                     TRY(table->next(Deadline::never()))) {
    if (is_current(entry->value, now)) {
      ++counts.retained;
    } else {
      TRY(table->remove(entry->key, Deadline::never()));
      ++counts.dropped;
    }
    if ((counts.dropped + counts.retained) % kSweepStep == 0) io::sleep_for(milliseconds(1));
    if (!table_) return counts;
  }
  TRY(table->sync());
  return counts;
}

Result<void> SessionCache::flush() {
  if (!table_ || !std::exchange(dirty_, false)) return {};
  return table_->sync();
}

void SessionCache::close() {
  if (table_) (void)table_->sync();
  table_.reset();
}

}  // namespace postrider::tlsmgr

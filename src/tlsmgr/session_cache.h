// TLS sessions in a table that nobody else writes to.
//
// An entry is "time:data": when it was stored, in seconds since 1970, and the session in base64. It is a
// secret as long as the session can be resumed.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "table/record_cache.h"

namespace postrider::tlsmgr {

class SessionCache {
 public:
  /// `timeout`: how long a session can be resumed.
  SessionCache(std::shared_ptr<table::Table> table, seconds timeout)
      : records_(std::move(table)), timeout_(timeout) {}

  Result<std::optional<std::string>> find(std::string_view id, std::time_t now, Deadline deadline);
  Result<void> save(std::string_view id, std::string_view data, std::time_t now, Deadline deadline);
  Result<void> remove(std::string_view id, Deadline deadline) { return records_.remove(id, deadline); }

  /// Whether an entry is too old.
  bool is_expired(std::string_view entry, std::time_t now) const { return !is_current(entry, now); }
  table::RecordCache& records() { return records_; }
  seconds timeout() const { return timeout_; }

 private:
  bool is_current(std::string_view entry, std::time_t now) const;

  table::RecordCache records_;
  seconds timeout_;
};

}  // namespace postrider::tlsmgr

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
#include "table/table.h"

namespace postrider::tlsmgr {

class SessionCache {
 public:
  /// `timeout`: how long a session can be resumed.
  SessionCache(std::shared_ptr<table::Table> table, seconds timeout)
      : table_(std::move(table)), timeout_(timeout) {}

  Result<std::optional<std::string>> find(std::string_view id, std::time_t now, Deadline deadline);
  Result<void> save(std::string_view id, std::string_view data, std::time_t now, Deadline deadline);
  Result<void> remove(std::string_view id, Deadline deadline);

  struct Counts {
    size_t retained = 0, dropped = 0;
  };
  /// Removes what is too old, a few entries at a time so that others get their turn.
  Result<Counts> sweep(std::time_t now);
  Result<void> flush();
  void close();
  /// "btree:/var/lib/postfix/smtpd_scache"
  std::string name() const { return table_ ? table_->spec() : std::string(); }
  seconds timeout() const { return timeout_; }

 private:
  bool is_current(std::string_view entry, std::time_t now) const;

  std::shared_ptr<table::Table> table_;
  seconds timeout_;
  bool dirty_ = false;
};

}  // namespace postrider::tlsmgr

// The lists of the flush service: one file a destination in flush/, with a queue id on each line. Postfix's
// have the same form.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/store.h"

namespace postrider::flush {

/// The name of a destination's file: letters in lower case and digits, anything else as "_".
std::string ledger_name(std::string_view site);

/// All calls block; several processes may work on the lists at a time.
class Ledger {
 public:
  explicit Ledger(const queue::Store& store) : store_(store) {}

  /// Adds a queue id at the end.
  Result<void> add(const std::string& name, std::string_view queue_id) const;

  /// Calls `take` for each queue id, once for ids that stand there repeatedly, and empties the list. What is
  /// added meanwhile waits. No list is an empty list.
  Result<void> drain(const std::string& name, const std::function<void(const std::string&)>& take) const;

  /// Removes the list if it is empty.
  Result<void> remove_empty(const std::string& name) const;

 private:
  const queue::Store& store_;
};

}  // namespace postrider::flush

#include "bounce/entries.h"

#include "log/log.h"

namespace postrider::bounce {

bool LogEntries::visit(const Visit& visit) const {
  if (!file_) return false;
  queue::LogReader reader(*file_, kind_);
  bool any = false;
  for (;;) {
    auto entry = reader.next();
    if (!entry) {
      log::warning("delivery log: {}", entry.error().text);
      return false;
    }
    if (!*entry) return any;
    any = true;
    visit(**entry);
  }
}

}  // namespace postrider::bounce

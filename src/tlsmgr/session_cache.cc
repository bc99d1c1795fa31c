#include "tlsmgr/session_cache.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"

namespace postrider::tlsmgr {

bool SessionCache::is_current(std::string_view entry, std::time_t now) const {
  auto stored = parse_int(entry.substr(0, entry.find(':')));
  return stored && *stored <= now && now - *stored <= timeout_.count();
}

Result<std::optional<std::string>> SessionCache::find(std::string_view id, std::time_t now,
                                                      Deadline deadline) {
  auto entry = TRY(records_.find(id, deadline));
  if (!entry || !is_current(*entry, now)) return std::nullopt;
  return base64_decode(std::string_view(*entry).substr(entry->find(':') + 1));
}

Result<void> SessionCache::save(std::string_view id, std::string_view data, std::time_t now,
                                Deadline deadline) {
  return records_.store(id, fmt::format("{}:{}", now, base64_encode(data)), deadline);
}

}  // namespace postrider::tlsmgr

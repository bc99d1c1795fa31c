#include "queue/inspect.h"

#include <fmt/format.h>

#include "queue/id.h"

namespace postrider::queue {

Inspected inspect(Files& files, const Scan::Entry& entry) {
  if (!is_valid_id(entry.name)) return {};
  auto status = files.status(entry.path);
  if (!status) {
    if (is_missing(status.error())) return {};
    return {std::nullopt, status.error().text};
  }
  if (status->type != FileType::regular) {
    return {std::nullopt, fmt::format("{}: uid {}: not a regular file", entry.path, status->owner)};
  }
  if (!is_complete(*status)) return {};
  return {std::move(*status), {}};
}

}  // namespace postrider::queue

// What counts of a queue file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "queue/files.h"

namespace postrider::qshape {

struct EnvelopeSummary {
  int64_t arrival = 0;  ///< Seconds since 1970.
  std::string sender;
  std::vector<std::string> recipients;  ///< Those to whom it is still to be delivered.
};

/// Nothing when the file is no complete message. `one_is_enough`: reading ends with the first
/// recipient.
std::optional<EnvelopeSummary> summarize(queue::File& file, bool one_is_enough);

}  // namespace postrider::qshape

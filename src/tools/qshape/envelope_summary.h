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

/// Nothing when the file is no complete message. `with_recipients`: else reading ends with the sender.
std::optional<EnvelopeSummary> summarize(queue::File& file, bool with_recipients);

}  // namespace postrider::qshape

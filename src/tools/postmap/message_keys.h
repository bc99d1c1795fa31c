// Lookup keys from a message, as header_checks and body_checks see them.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "tools/postmap/options.h"
#include "tools/postmap/output.h"

namespace postrider::postmap {

/// Reads a message and calls `ask` with each header (-h) and each line of body (-b). With -m, headers of its
/// parts and of messages within are headers, otherwise body. Ends with the first error of `ask`.
Result<void> for_each_message_key(const Options& options, Input& input,
                                  const std::function<Result<void>(std::string_view)>& ask);

}  // namespace postrider::postmap

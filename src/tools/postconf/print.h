// How postconf shows names and values.
#pragma once

#include <string>
#include <string_view>

#include "tools/postconf/options.h"

namespace postrider::postconf {

/// Folded lines stay below this length.
inline constexpr size_t kLineLimit = 80;

/// One line (or several, when folded) "name = value" as the options want it, with the line end.
std::string format_value(const Options& options, std::string_view name, std::string_view value);
/// {"name": "value"}
std::string format_json(std::string_view name, std::string_view value);
void print(std::string_view text);

}  // namespace postrider::postconf

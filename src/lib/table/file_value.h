// Values that stand for the content of files (postmap -F).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::table {

/// The largest file that a value may stand for.
inline constexpr size_t kMaxFileValue = size_t{1} << 20;

/// Files separated by comma or white space: their content, a newline between them, in base64.
Result<std::string> encode_files(std::string_view list);

}  // namespace postrider::table

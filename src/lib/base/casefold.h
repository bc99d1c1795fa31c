// Case folding of internationalized text.
#pragma once

#include <string>
#include <string_view>

namespace postrider {

/// Full Unicode case folding, independent of the locale: texts that differ in case only become equal. Bytes
/// that are no well-formed UTF-8 stay as they are.
std::string casefold(std::string_view text);

}  // namespace postrider

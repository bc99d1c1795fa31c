// Case folding of internationalized text.
#pragma once

#include <string>
#include <string_view>

namespace postrider {

/// Full Unicode case folding, independent of the locale: texts that differ in case only become equal. Text
/// that is not well-formed UTF-8 has its US-ASCII letters lowered and is otherwise unchanged.
std::string casefold(std::string_view text);

}  // namespace postrider

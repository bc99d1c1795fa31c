// Long lines of text cut at white space, for people who read notices.
#pragma once

#include <string>
#include <string_view>

namespace postrider {

/// `text` in lines of at most `width` bytes with "\n" between them, those behind the first beginning with
/// `indent` spaces. A word longer than a line stands alone on one. White space at the ends of lines is
/// dropped.
std::string wrap_line(std::string_view text, size_t width, size_t indent);

}  // namespace postrider

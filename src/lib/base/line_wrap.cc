#include "base/line_wrap.h"

#include <algorithm>

#include "base/text.h"

namespace postrider {

std::string wrap_line(std::string_view text, size_t width, size_t indent) {
  std::string out;
  for (size_t room = width;; room = width > indent ? width - indent : 1) {
    // The line may end in front of the last word that begins in it, if there is more than one.
    size_t end = text.size();
    size_t word = 0;
    for (size_t at = 0; at < text.size();) {
      size_t word_end = std::min(text.find_first_of(" \t", at), text.size());
      if (word_end > room && at > 0) {
        end = word = at;
        break;
      }
      at = word_end + 1;
    }
    out += trim_right(text.substr(0, end));
    if (word == 0) return out;
    text = trim_left(text.substr(word));
    out += '\n' + std::string(indent, ' ');
  }
}

}  // namespace postrider

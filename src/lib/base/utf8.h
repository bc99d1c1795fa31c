// Single characters of UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postrider {

struct Utf8Character {
  char32_t code;
  size_t length;  ///< Bytes.
};

/// The character at the start of `text`. Nothing when it is empty or not well-formed.
std::optional<Utf8Character> decode_utf8(std::string_view text);
/// `code` must be a Unicode scalar value.
void append_utf8(std::string& out, char32_t code);

}  // namespace postrider

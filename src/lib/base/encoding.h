// Small encodings of mail protocols.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider {

std::string hex(std::string_view bytes);

/// xtext of RFC 3461 section 4: bytes outside "!".."~", and "+" and "=", as +XX. `also` names further
/// characters to encode.
std::string xtext_encode(std::string_view text, std::string_view also = {});
/// Nothing when the text is not xtext; hexadecimal digits may be in lower case, too.
std::optional<std::string> xtext_decode(std::string_view text);

/// RFC 4648 base64, padded, in one line.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

/// A string of RFC 8259 with its quotes; control characters are escaped, other bytes stay.
std::string json_quoted(std::string_view text);

}  // namespace postrider

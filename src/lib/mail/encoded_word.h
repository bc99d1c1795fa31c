// Text outside US-ASCII in headers: encoded words of RFC 2047.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::mail {

/// Where the encoded words stand; it decides which characters may appear unencoded (RFC 2047 section 5).
enum class EncodedWordPlace : unsigned char {
  comment,  ///< Between "(" and ")".
  phrase,   ///< A display name.
};

/// `text` as one or more encoded words in "Q" encoding, or in "B" when it has 20 bytes or more and at least
/// half of them would have to be encoded. Words are no longer than 75 bytes; `separator`, which is white
/// space, stands between them. UTF-8 characters are not divided. Fails when `charset`
/// (full_name_encoding_charset) cannot stand in an encoded word or the text is empty.
Result<std::string> encode_words(std::string_view text, EncodedWordPlace place, std::string_view charset,
                                 std::string_view separator = "\n ");

}  // namespace postrider::mail

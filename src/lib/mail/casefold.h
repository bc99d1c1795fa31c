// Letter case of addresses and lookup keys.
#pragma once

#include <string>
#include <string_view>

namespace postrider::mail {

/// The text as a key that is the same for all spellings that differ in case: US-ASCII letters in lower case
/// and, with `utf8_enabled` (smtputf8_enable), Unicode's full case folding ("ß" is "ss"). Bytes that are no
/// well-formed UTF-8 stay as they are. Unlike lower-casing, folding does not depend on a language.
///
/// The table comes from the Unicode character database: the C++ library folds by locale only, and a Unicode
/// library in every daemon would be a large price for 1,500 entries.
std::string casefold(std::string_view text, bool utf8_enabled);

enum class FoldParts : unsigned char { localpart, domain, both };

/// An address with the given parts folded; without an "@" the whole is a localpart.
std::string fold_address(std::string_view address, FoldParts parts, bool utf8_enabled);

}  // namespace postrider::mail

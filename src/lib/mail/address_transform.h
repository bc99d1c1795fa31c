// Changes of an address's form, on the tokens of one address (the `parts` of an `address` token). Each does
// one thing and says whether it applied; which of them are wanted, and in which order, is for the rewriting
// rules.
#pragma once

#include <string_view>

#include "mail/address.h"

namespace postrider::mail {

inline constexpr size_t kNotFound = static_cast<size_t>(-1);

size_t find_special(const TokenList& address, char mark);
size_t find_last_special(const TokenList& address, char mark);
inline bool has_special(const TokenList& address, char mark) {
  return find_special(address, mark) != kNotFound;
}

/// "@relay,@relay:user@domain" becomes "user@domain".
bool strip_source_route(TokenList& address);
/// "domain!rest" becomes "rest@domain".
bool swap_bang_path(TokenList& address);
/// The last "%" becomes "@".
bool promote_percent(TokenList& address);
/// Puts "@domain" at the end.
void append_domain(TokenList& address, std::string_view domain);
/// Puts ".parent" at the end when the domain is a single word.
bool append_parent_domain(TokenList& address, std::string_view parent);
/// Removes one dot at the end, but not of ".." or "@.", which are broken forms.
bool strip_trailing_dot(TokenList& address);

}  // namespace postrider::mail

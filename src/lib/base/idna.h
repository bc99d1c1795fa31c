// Internationalised domain names (RFC 5890, UTS 46 without transitional processing).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider {

/// The A-label form ("xn--...") of a domain name in UTF-8, in lower case; nothing when the name is not valid.
/// A leading or trailing dot is kept.
std::optional<std::string> domain_to_ascii(std::string_view domain);
/// The U-label form in UTF-8; nothing when the name is not valid.
std::optional<std::string> domain_to_utf8(std::string_view domain);

}  // namespace postrider

// Internationalised domain names (RFC 5891 with the mapping of UTS 46), by libidn2.
//
// libidn2 holds to IDNA2008: names made of symbols (emoji domains) and names that break the Bidi rule (RFC
// 5893) have no ASCII form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider {

/// How characters that IDNA2003 mapped away, such as "\u00df", are read (enable_idna2003_compatibility).
enum class IdnaMapping : unsigned char { idna2008, idna2003 };

/// The A-label form ("xn--...") of a domain name in UTF-8, in lower case; nothing when the name is not valid.
/// A leading or trailing dot is kept. That the result is a valid host name is for the caller to check.
std::optional<std::string> domain_to_ascii(std::string_view domain);
std::optional<std::string> domain_to_ascii(std::string_view domain, IdnaMapping mapping);
/// The U-label form in UTF-8, in lower case; nothing when the name is not valid.
std::optional<std::string> domain_to_utf8(std::string_view domain);
std::optional<std::string> domain_to_utf8(std::string_view domain, IdnaMapping mapping);

}  // namespace postrider

// Domain names with characters outside US-ASCII: RFC 5891 with the mapping of UTS #46, by libidn2.
//
// libidn2 holds to IDNA2008: names of symbols (emoji domains) and names that break the Bidi rule have no
// ASCII form.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::mail {

/// How characters that IDNA2003 had mapped away, such as "ß", are read (enable_idna2003_compatibility).
enum class IdnaMapping : unsigned char { idna2008, idna2003 };

/// The name in lower-case ASCII with A-labels ("xn--..."). Fails when it has no such form, or the form is no
/// valid host name; the error's text can stand in a log line.
Result<std::string> domain_to_ascii(std::string_view name, IdnaMapping mapping = IdnaMapping::idna2008);

/// The name in lower-case UTF-8 with U-labels.
Result<std::string> domain_to_utf8(std::string_view name, IdnaMapping mapping = IdnaMapping::idna2008);

/// The same for the end of a name, which may begin with a dot (".example.com").
Result<std::string> domain_suffix_to_ascii(std::string_view suffix,
                                           IdnaMapping mapping = IdnaMapping::idna2008);
Result<std::string> domain_suffix_to_utf8(std::string_view suffix,
                                          IdnaMapping mapping = IdnaMapping::idna2008);

}  // namespace postrider::mail

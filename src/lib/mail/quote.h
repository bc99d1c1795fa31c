// Quotes around localparts: from internal form to external form, and back.
#pragma once

#include <string>
#include <string_view>

namespace postrider::mail {

struct QuoteOptions {
  bool eight_bit_clean = true;  ///< Bytes outside US-ASCII need no quotes (SMTPUTF8).
  bool expose_at = false;       ///< "@" in the localpart needs no quotes.
};

/// RFC 5321 (formerly 821) external form, for SMTP commands: the part before the last "@" between quotes when
/// it is no dot-string. The domain is never changed.
std::string quote_821_local(std::string_view internal, QuoteOptions options = {});

/// RFC 5322 (formerly 822) external form, for headers and lookup tables. A source route ("@relay:") in front
/// of the localpart is kept as it is.
std::string quote_822_local(std::string_view internal, QuoteOptions options = {});
/// The same for a text that is a localpart: an "@" in it separates no domain.
std::string quote_822_localpart(std::string_view localpart, QuoteOptions options = {});

/// Internal form: quotes and backslashes of the localpart removed. The localpart ends at the last "@" outside
/// quotes; a source route in front of it is kept as it is.
std::string unquote_822_local(std::string_view external);

}  // namespace postrider::mail

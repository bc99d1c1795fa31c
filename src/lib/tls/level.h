// Security levels of the client (smtp_tls_security_level).
#pragma once

#include <optional>
#include <string_view>

namespace postrider::tls {

/// In ascending order: what is asked of a server.
enum class Level : unsigned char {
  none,         ///< No TLS.
  may,          ///< TLS where it is offered and works.
  encrypt,      ///< TLS, with whomever.
  fingerprint,  ///< With a server whose certificate or key is known.
  half_dane,    ///< As `dane`, for a host that was found without DNSSEC. No configuration says this.
  dane,         ///< With a server that the DNS vouches for (RFC 7672); where it does not: `may`.
  dane_only,    ///< The same without the exception.
  verify,       ///< With a server of that name, of which trusted authorities vouch.
  secure,       ///< The same, and the name does not come from the DNS.
};

/// A word of a configuration, in any case.
std::optional<Level> parse_level(std::string_view word);
/// "dane-only"; "halfdane", as it is logged.
std::string_view level_name(Level level);

/// Without TLS there is no delivery.
inline bool requires_tls(Level level) {
  return level >= Level::encrypt;
}
/// The server has to prove who it is.
inline bool must_match(Level level) {
  return level > Level::encrypt;
}
inline bool is_dane(Level level) {
  return level >= Level::half_dane && level <= Level::dane_only;
}
/// Certificates need an authority that is trusted here.
inline bool needs_authority(Level level) {
  return level >= Level::verify;
}

/// none, may or encrypt, for a server: the word of its parameter or, where that is empty, of the older ones
/// (smtpd_enforce_tls, smtpd_use_tls). Levels for clients are warned of.
Level server_level(std::string_view parameter, std::string_view word, bool enforce, bool use);

}  // namespace postrider::tls

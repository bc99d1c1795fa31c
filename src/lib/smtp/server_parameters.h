// Parameters of MAIL, RCPT and BDAT (RFC 1870, RFC 3030, RFC 3461, RFC 4954, RFC 6152, RFC 6531, and XVERP).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mail/dsn_parameters.h"
#include "mail/smtp_path.h"
#include "smtp/command.h"

namespace postrider::smtp {

/// Why parameters are refused.
struct ParameterProblem {
  std::string reply;    ///< "555 5.5.4 Unsupported option: FOO=1"
  std::string warning;  ///< For the log; may be empty.
};
template <typename T>
using Parsed = std::expected<T, ParameterProblem>;

/// Which extensions the client may use. The limits on XVERP are those of the parameters named.
struct ParameterRules {
  bool dsn = true;
  bool smtputf8 = true;
  bool requiretls = false;
  bool xverp = false;
  std::string_view default_verp_delimiters = "+=";
  std::string_view verp_delimiter_filter = "-=+";
};

struct MailParameters {
  BodyType body = BodyType::unspecified;
  std::optional<int64_t> size;
  bool smtputf8 = false;
  bool requiretls = false;
  std::optional<std::string> auth;  ///< Of AUTH=, not decoded.
  std::string verp_delimiters;      ///< Two characters, or empty: no XVERP.
  mail::Ret ret = mail::Ret::none;
  std::string envelope_id;  ///< Decoded.
};
/// `words` is what follows the address.
Parsed<MailParameters> parse_mail_parameters(std::span<const mail::SmtpWord> words,
                                             const ParameterRules& rules);

struct RcptParameters {
  mail::Notify notify;
  std::optional<mail::OriginalRecipient> original;
};
Parsed<RcptParameters> parse_rcpt_parameters(std::span<const mail::SmtpWord> words,
                                             const ParameterRules& rules);

struct ChunkParameters {
  int64_t size = 0;
  bool last = false;
};
/// Nothing when the words are anything else than a size, and perhaps LAST.
std::optional<ChunkParameters> parse_chunk_parameters(std::span<const mail::SmtpWord> words);

}  // namespace postrider::smtp

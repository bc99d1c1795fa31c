// Parts of an address in internal form: localpart, extension and domain.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider::mail {

/// Everything before the last "@", or everything.
std::string_view localpart_of(std::string_view address);
/// What follows the last "@"; empty when there is none.
std::string_view domain_of(std::string_view address);
bool has_domain(std::string_view address);

/// How a localpart is divided into a user and an address extension.
struct DelimiterRules {
  std::string_view delimiters;        ///< recipient_delimiter: a set of characters; empty for no extensions.
  bool owner_request_special = true;  ///< Keep owner-LIST and LIST-request whole when "-" is a delimiter.
  std::string_view double_bounce_sender = "double-bounce";  ///< A name that is never divided.
};

struct ExtendedLocalpart {
  std::string_view user;
  char delimiter;
  std::string_view extension;
};

/// The localpart divided at the first delimiter after its first character. Nothing when there is none, or
/// when it is postmaster, mailer-daemon, the double-bounce sender or an excepted mailing list name.
std::optional<ExtendedLocalpart> split_extension(std::string_view localpart, const DelimiterRules& rules);

struct StrippedAddress {
  std::string address;         ///< Without the extension.
  std::string_view extension;  ///< With its delimiter; part of the original text.
};

/// An address without its extension. Nothing when it has none.
std::optional<StrippedAddress> strip_extension(std::string_view address, const DelimiterRules& rules);

enum class FoldParts : unsigned char { localpart, domain, both };
/// An address with the given parts in the form of lookup keys: US-ASCII in lower case and, with
/// `utf8_enabled` (smtputf8_enable), Unicode's case folding. Without an "@" the whole is a localpart.
std::string fold_address(std::string_view address, FoldParts parts, bool utf8_enabled);

/// How addresses appear in log lines (info_log_address_format).
enum class LogForm : unsigned char { external, internal };
std::optional<LogForm> parse_log_form(std::string_view text);
/// An address in internal form as a log line shows it, without the "<" and ">".
std::string log_address(std::string_view address, LogForm form);

}  // namespace postrider::mail

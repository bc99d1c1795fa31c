// What a client tells about another client that its mail came from: XCLIENT and XFORWARD (XCLIENT_README,
// XFORWARD_README).
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mail/smtp_path.h"
#include "smtpd/client.h"

namespace postrider::smtpd {

/// A name that a client gave, fit for headers and log lines.
std::string harmless_name(std::string_view name);

/// How a client has logged in of which XCLIENT tells the name.
inline constexpr std::string_view kXclientLogin = "XCLIENT";

/// What inet_protocols leaves: addresses of other families are none that a client can have.
struct Families {
  bool ipv4 = true, ipv6 = true;
};

/// Identity for logs, from a content filter in front of this server.
struct Forwarded {
  std::string name = "unknown", address = "unknown", port = "unknown", helo_name, protocol, ident;
  std::optional<bool> local;      ///< SOURCE=LOCAL: it has come from this system.
  std::string label = "unknown";  ///< "name[address]", or the name when there is no address.
  bool told = false;              ///< A command was accepted.
  bool has_client = false;        ///< Something of that is about the client: not only SOURCE or IDENT.
  bool renamed = false;           ///< The last command had a name or an address.

  /// Makes the label, with the port if so wanted.
  void make_label(bool with_port);
};

/// What XCLIENT changes beside the client.
struct Substitute {
  Client client;
  std::optional<std::string> helo_name;
  std::string_view protocol = "SMTP";
  bool has_helo = false;  ///< HELO was given: otherwise the client has not introduced itself.
};

/// An error is the reply. What came before the mistake has taken effect; of XFORWARD only where an earlier
/// command was accepted.
std::expected<void, std::string> apply_xclient(std::span<const mail::SmtpWord> words, Substitute& to,
                                               Families families = {});
std::expected<void, std::string> apply_xforward(std::span<const mail::SmtpWord> words, Forwarded& to,
                                                Families families = {});

}  // namespace postrider::smtpd

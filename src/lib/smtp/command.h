// Commands of an SMTP or LMTP client.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/dsn_parameters.h"
#include "smtp/ehlo.h"

namespace postrider::smtp {

enum class BodyType : unsigned char { unspecified, seven_bit, eight_bit };

/// MAIL FROM with its parameters. What the server does not offer is left out.
struct MailCommand {
  std::string_view sender;  ///< Quoted as RFC 5321 wants it, without angle brackets; empty for bounces.
  uint64_t size = 0;        ///< 0: not known, or about to change.
  BodyType body = BodyType::unspecified;
  mail::Ret ret = mail::Ret::none;
  std::string_view envelope_id;  ///< RFC 3461; in xtext.
  bool smtputf8 = false;
  bool requiretls = false;
  bool null_auth = false;  ///< AUTH=<>: authenticated as this system, not as the sender.

  std::string text(const Capabilities& server) const;
};

/// RCPT TO with its parameters. What the server does not offer is left out.
struct RcptCommand {
  std::string_view recipient;  ///< Quoted, without angle brackets.
  std::optional<mail::OriginalRecipient> original;
  mail::Notify notify;

  std::string text(const Capabilities& server) const;
};

/// What is known about the client that a message came from, for XFORWARD; empty: unknown. Indexed by
/// XforwardAttribute.
using ClientFacts = std::array<std::string_view, kXforwardAttributes>;

/// The XFORWARD commands for what the server takes: none, one or two, as the command length is limited.
std::vector<std::string> xforward_commands(const ClientFacts& facts, const Capabilities& server);

}  // namespace postrider::smtp

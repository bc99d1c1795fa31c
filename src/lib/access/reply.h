// Reply codes and texts of refusals.
#pragma once

#include <string>
#include <string_view>

#include "access/facts.h"

namespace postrider::access {

/// What a refusal is about, as its text names it.
namespace about {
inline constexpr std::string_view kClient = "Client host";
inline constexpr std::string_view kReverseClient = "Unverified Client host";
inline constexpr std::string_view kHelo = "Helo command";
inline constexpr std::string_view kSender = "Sender address";
inline constexpr std::string_view kRecipient = "Recipient address";
inline constexpr std::string_view kLogin = "SASL login name";
inline constexpr std::string_view kEtrn = "Etrn command";
inline constexpr std::string_view kData = "Data command";
inline constexpr std::string_view kCertificate = "Client certificate";
inline constexpr std::string_view kEndOfData = "End-of-data";
}  // namespace about

/// A status code from a table or another service, for a refusal about something: the codes for addresses
/// differ between senders and recipients, and mean nothing elsewhere. A change is logged.
std::string fitting_status(std::string_view status, std::string_view about);

/// The reply line of a complaint: code and status agree, characters are printable, the length is limited. A
/// code that is none is logged and replaced. With `soft` (soft_bounce) 5xx becomes 4xx.
std::string reply_line(const Complaint& complaint, bool soft);

}  // namespace postrider::access

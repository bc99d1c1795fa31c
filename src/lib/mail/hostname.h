// Syntax of host names and addresses.
//
// Each check can say what is wrong, in a text for a log line. The checks are about syntax: a name that passes
// may not exist.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider::mail {

enum class HostnameForm : unsigned char {
  host,     ///< Letters, digits, "-", "_" and single dots between labels; not digits and dots alone.
  pattern,  ///< The same, and the first label may be "*".
};

/// Whether `name` can be the name of a host or domain.
bool valid_hostname(std::string_view name, std::string* why = nullptr,
                    HostnameForm form = HostnameForm::host);
/// The same for a name that may hold UTF-8: such a name is valid when its ASCII form is.
bool valid_utf8_hostname(std::string_view name, bool utf8_enabled, std::string* why = nullptr);

/// "192.0.2.1": four decimal octets.
bool valid_ipv4_address(std::string_view text, std::string* why = nullptr);
/// "2001:db8::1", "::ffff:192.0.2.1".
bool valid_ipv6_address(std::string_view text, std::string* why = nullptr);
bool valid_host_address(std::string_view text, std::string* why = nullptr);
/// A decimal number from 0 to 65535.
bool valid_port(std::string_view text, std::string* why = nullptr);

/// The address in the text of an address literal: "192.0.2.1", or without its prefix "IPv6:2001:db8::1".
/// Nothing when it is neither.
std::optional<std::string_view> mailhost_address(std::string_view literal_text, std::string* why = nullptr);
/// "[192.0.2.1]" or "[IPv6:2001:db8::1]", as it stands after the "@" of an address.
bool valid_mailhost_literal(std::string_view text, std::string* why = nullptr);
/// "192.0.2.1", or "IPv6:2001:db8::1" for an IPv6 address: the inverse of mailhost_address().
std::string to_mailhost_address(std::string_view address);

}  // namespace postrider::mail

// Syntax of host and domain names.
#pragma once

#include <string>
#include <string_view>

namespace postrider {

/// A name that is too long for the DNS is refused, and so is a label.
inline constexpr size_t kMaxHostname = 255;
inline constexpr size_t kMaxHostnameLabel = 63;

/// What is wrong with a host or domain name, as a warning for the log ("valid_hostname: misplaced hyphen:
/// -x"); empty when nothing is. Letters, digits, "-" and "_" in labels between dots, no dot at the end, not
/// all numeric. `wildcard` allows "*" as the first label.
std::string hostname_problem(std::string_view name, bool wildcard = false);
bool is_valid_hostname(std::string_view name, bool wildcard = false);

}  // namespace postrider

// The address in an argument of MAIL or RCPT, for the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider::postscreen {

/// What follows the colon of "FROM:<address>", in internal form; nothing when there is no colon. Whatever
/// else is there is an address: mail is not taken anyway.
std::optional<std::string> path_argument(std::string_view argument);

}  // namespace postrider::postscreen

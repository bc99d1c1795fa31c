// Names of a session's facts in texts of the configuration: $client_address, $sender_domain and so on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/facts.h"

namespace postrider::access {

/// The value of a name; nothing for a name that is none, which is logged.
std::optional<std::string> session_value(std::string_view name, const Facts& facts);

}  // namespace postrider::access

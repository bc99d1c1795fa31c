// Which users a command works for: authorized_submit_users and its kin.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "config/config.h"

namespace postrider::tool {

/// Nothing when the list names the user that runs this process (its real user id), and for root and the mail
/// owner; else "name(uid)". A user that the system does not know has the name "unknown".
Result<std::optional<std::string>> refused_user(const config::Config& config,
                                                config::Param<std::string> list);

}  // namespace postrider::tool

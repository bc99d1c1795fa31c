// Becoming the mail owner for a while.
#pragma once

#include <optional>

#include "config/config.h"
#include "sys/user.h"

namespace postrider::clients {

/// The mail owner's rights for as long as the result lives; nothing without root, or when it is the mail
/// owner already. Throws ConfigError when there is no such user.
std::optional<sys::AsUser> become_mail_owner(const config::Config& config);

}  // namespace postrider::clients

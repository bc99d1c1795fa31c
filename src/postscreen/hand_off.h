// Handing clients over to an SMTP server.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "service/passing.h"

namespace postrider::postscreen {

/// Passes the connection `fd` to the service, of type "pass", and waits until one of its processes has it.
/// The error is a warning for the log.
Result<void> hand_off(const std::string& service, int fd, const std::optional<service::Ends>& ends);

}  // namespace postrider::postscreen

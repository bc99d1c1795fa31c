// The JSON form of a log line; inside this folder only.
#pragma once

#include <string>
#include <string_view>

#include "log/log.h"

namespace postrider::log {

/// {"time":"2026-11-21T08:00:00.123Z","host":..,"service":"postfix/smtpd","pid":..,"severity":..,["session":..,]
/// ["event":..,] fields...,"text":..}, without a newline.
std::string json_line(const Settings& settings, Severity severity, std::string_view text,
                      std::string_view event, Fields fields, std::string_view session);

}  // namespace postrider::log

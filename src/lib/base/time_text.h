// Times as text, in the forms that mail uses.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace postrider {

/// RFC 5322 date-time with the zone name as a comment: "Mon, 05 Feb 2024 12:00:00 +0000 (UTC)", local time.
std::string mail_date(time_t when);
/// asctime() form without the newline, as in the "From " line of an mbox: "Mon Feb  5 12:00:00 2024".
std::string asctime_date(time_t when);
/// "Feb 05 12:00:00", local time, as $localtime in texts for clients.
std::string short_date(time_t when);
/// "20240205120000", UTC, as in a generated Message-Id.
std::string compact_time(time_t when);

/// A delay in seconds with at most two significant digits below 100 s, as in delay= and delays=:
/// 0.01, 0.5, 12, 345. `resolution_digits` is delay_logging_resolution_limit.
std::string delay_text(int64_t microseconds, int resolution_digits);

}  // namespace postrider

// SMTP replies that filters ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::milter {

/// Reads what a filter has given as a reply: a code of a refusal, a status code that fits it, if any, and a
/// text; lines are separated by CRLF. "%%" stands for "%". The error's text is what is malformed.
Result<std::string> parse_reply(std::string_view text);
/// The lines of a reply, all but the last with a "-" behind the code.
std::vector<std::string> reply_lines(std::string_view reply);

}  // namespace postrider::milter

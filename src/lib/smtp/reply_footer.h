// What the configuration makes of a server's refusals: footers, soft_bounce.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/macro.h"

namespace postrider::smtp {

/// Whether a reply line is one of 4xx or 5xx.
bool is_refusal(std::string_view line);
/// The enhanced status code of a reply line, or nothing.
std::string_view status_of(std::string_view line);
/// 5xx becomes 4xx (soft_bounce).
void soften(std::string& line);

/// A reply with a footer (smtpd_reject_footer, postscreen_reject_footer): "\c" at its start goes on in the
/// last line, "\n" begins another one, with code and status of the reply. An error where a name in the footer
/// has no value.
Result<std::vector<std::string>> add_footer(std::vector<std::string> lines, std::string_view footer,
                                            const config::MacroLookup& names, std::string_view allowed);

}  // namespace postrider::smtp

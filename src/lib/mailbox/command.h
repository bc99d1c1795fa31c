// Mail to a command: how its text is executed and what its end means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mail/dsn.h"
#include "mailbox/runner.h"

namespace postrider::mailbox {

/// The search path of commands, whatever the mail system's own is.
inline constexpr std::string_view kCommandPath = "/usr/bin:/bin";

/// Fills in what to execute for a command line: directly when it has no character that is special to a shell,
/// else by `shell` ("/usr/bin/smrsh -c"; empty: /bin/sh -c).
void set_command(RunRequest& request, std::string_view command, std::string_view shell);

/// Characters outside `allowed` become '_': for values that come from outside and are exported.
std::string censored(std::string_view value, std::string_view allowed);

/// Names and NAME=value words of export_environment; a bare name has the value that it has in this process.
std::vector<std::string> exported_environment(std::string_view export_environment);

/// The outcome for the recipient. `command` is for the text, `program` names the agent in the words of a
/// command that could not be executed. On success the reason is the output.
mail::DeliveryStatus command_status(const RunResult& result, std::string_view command,
                                    std::string_view program);

}  // namespace postrider::mailbox

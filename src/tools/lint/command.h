// "postfix lint [-jqt]": what a person sees of the checks.
#pragma once

#include <string>
#include <vector>

namespace postrider::lint {

/// Looks at the configuration in `directory` (empty: MAIL_CONFIG, else the built-in one) and at those of its
/// multi_instance_directories, and prints what it finds. The result is an exit status: 0 nothing worse than a
/// note, 1 a warning, 2 an error, 64 a command line that is not understood.
int lint_command(const std::string& directory, const std::vector<std::string>& arguments);

}  // namespace postrider::lint

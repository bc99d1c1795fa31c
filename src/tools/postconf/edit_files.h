// -e, -X and -# on main.cf and master.cf.
#pragma once

#include "tools/postconf/options.h"

namespace postrider::postconf {

/// Both end the program with a message when a request or the file is wrong; then nothing has changed.
void edit_main(const Options& options, const std::string& directory);
void edit_master(const Options& options, const std::string& directory);

}  // namespace postrider::postconf

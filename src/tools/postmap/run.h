// The commands postmap, postalias and newaliases.
#pragma once

#include "tools/postmap/options.h"

namespace postrider::postmap {

/// postmap or postalias; the exit status.
int run(Command command, int argc, char** argv);
/// newaliases: builds the tables of alias_database.
int run_newaliases(int argc, char** argv);

}  // namespace postrider::postmap

// Whether a source is one for postalias(1) or for postmap(1).
#pragma once

#include "base/result.h"

namespace postrider::nbdb_reindexd {

/// Goes by the first lines that are entries of either kind; in doubt it is one for postmap. Reads from `fd`
/// and leaves the position anywhere.
Result<bool> is_alias_source(int fd, bool utf8);

}  // namespace postrider::nbdb_reindexd

// Looking at files with somebody else's rights.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/result.h"
#include "mailbox/open_file.h"
#include "sys/fd.h"

namespace postrider::local {

/// Follows symbolic links. The error has an errno value.
Result<struct stat> stat_as(const std::string& path, mailbox::Identity as);
/// Does not follow a link at the end.
Result<struct stat> lstat_as(const std::string& path, mailbox::Identity as);
/// Opens for reading.
Result<sys::Fd> open_as(const std::string& path, mailbox::Identity as);

}  // namespace postrider::local

// Opening a file that somebody else may have prepared to harm us.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace postrider::mailbox {

/// Whose rights an operation uses.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

struct OpenFile {
  sys::Fd fd;
  struct stat status{};
  bool created = false;
};

/// Opens a file to append to, or creates it with mode 0600. What is opened has one name only and is no
/// directory; it is behind a symbolic link only where root made the link in a directory that nobody else can
/// write to. A new file is given to `owner`. Never waits, not even for the reader of a FIFO. The error text
/// is the reason without the file's name; its code an errno value, EPERM for a file that cannot be trusted.
Result<OpenFile> open_to_append(const std::string& path, std::optional<Identity> owner);

}  // namespace postrider::mailbox

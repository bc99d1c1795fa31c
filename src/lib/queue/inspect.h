// Looking at a name in a queue directory before it is opened as a message.
#pragma once

#include <optional>
#include <string>

#include "queue/files.h"
#include "queue/store.h"

namespace postrider::queue {

/// What is found under a name of a scan.
struct Inspected {
  std::optional<FileStatus> message;  ///< When it is a complete message.
  std::string complaint;              ///< Something that the administrator should know; mostly empty.
};

/// A file that is being written, or has gone meanwhile, is nothing to complain about.
Inspected inspect(Files& files, const Scan::Entry& entry);

}  // namespace postrider::queue

// Delivery to a file in mbox format.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "mail/dsn.h"
#include "mailbox/copy.h"
#include "mailbox/lock.h"
#include "mailbox/open_file.h"

namespace postrider::mailbox {

/// Where and with whose rights.
struct MboxTarget {
  std::string path;
  LockPolicy locks;
  Identity open_as;                      ///< Locks, opens and creates: who may write to the directory.
  Identity write_as;                     ///< Writes: whose quota counts.
  std::optional<Identity> owner_of_new;  ///< A new file is given to this user.
  std::optional<uid_t>
      required_owner;  ///< Defers when another user owns the file (strict_mailbox_ownership).
  /// A mailbox must be a regular file. Otherwise devices and FIFOs are written to as well, and a directory in
  /// which no lock file can be made is no reason not to deliver.
  bool mailbox = true;
  int64_t size_limit = 0;               ///< Of the whole file; 0: none.
  mail::StatusCode fallback = "5.2.0";  ///< For failures that say nothing particular.
  CopyFormat format = CopyFormat::mbox();
};

struct MboxOutcome {
  mail::DeliveryStatus status;  ///< The reason is empty on success.
  off_t start = 0;              ///< Where the message begins in the file.
};

/// Appends the message. Success means that it is on disk; after a failure the file has its old size. Blocks,
/// and changes the identity of the process while it works.
MboxOutcome append_to_mbox(const Message& message, const MboxTarget& target);

}  // namespace postrider::mailbox

// Delivery to a Maildir (https://cr.yp.to/proto/maildir.html).
#pragma once

#include <cstdint>
#include <string>

#include "mail/dsn.h"
#include "mailbox/copy.h"
#include "mailbox/open_file.h"

namespace postrider::mailbox {

struct MaildirTarget {
  std::string path;  ///< Ends with '/'.
  Identity as;
  int64_t size_limit = 0;               ///< Of one message; 0: none.
  mail::StatusCode fallback = "5.2.0";  ///< For failures that say nothing particular.
  CopyFormat format = CopyFormat::maildir();
};

/// Adds the message as a file in new/, making directories of mode 0700 that do not exist. Success means that
/// the file and its name are on disk; a failure leaves nothing behind. Its reason begins with "maildir
/// delivery failed: ". Blocks, and changes the identity of the process while it works.
mail::DeliveryStatus deliver_to_maildir(const Message& message, const MaildirTarget& target);

/// The host name as it can stand in a file name of a Maildir.
std::string maildir_host_name(std::string_view host);

}  // namespace postrider::mailbox

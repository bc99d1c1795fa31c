// What a failed delivery to a file or command says.
#pragma once

#include <string>

#include "base/result.h"
#include "mail/dsn.h"
#include "mailbox/copy.h"

namespace postrider::mailbox {

/// The status code for an errno value that a mailbox operation gave; `fallback` when it says nothing
/// particular: a full disk is for later, a used-up quota and a size limit are the recipient's affair,
/// contention passes.
mail::StatusCode mailbox_status(int errno_value, mail::StatusCode fallback);

/// Whether to bounce or to defer follows from the class of the code. `error` must have an errno value; its
/// text is the reason.
mail::DeliveryStatus failed(const Error& error, mail::StatusCode fallback);
mail::DeliveryStatus failed(mail::StatusCode status, std::string reason);
/// A message that could not be read or written completely. A damaged queue file defers: the mail system is at
/// fault.
mail::DeliveryStatus failed(const CopyFailure& failure);
mail::DeliveryStatus delivered(std::string reason);
/// "mail system configuration error"; the log has the details.
mail::DeliveryStatus misconfigured(mail::StatusCode status);

/// The reason for an errno value: "No such file or directory".
std::string errno_text(int errno_value);

}  // namespace postrider::mailbox

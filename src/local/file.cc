// Delivery to /file/name.
#include <fmt/format.h>

#include "base/text.h"
#include "local/delivery.h"
#include "log/log.h"
#include "mailbox/failure.h"
#include "mailbox/mbox.h"

namespace postrider::local {

Delivery::Disposition Delivery::deliver_to_file(const Scope& scope, const std::string& path) {
  if (!first_time(fmt::format("file {} {}", scope.rights.uid, path))) return Disposition::finished;
  if (!contains(settings_.files_allowed, scope.from))
    return report_to_owner(scope, mailbox::failed("5.7.1", "mail to file is restricted"));
  std::string shown = printable(path);
  if (verify_only()) return report(scope, "2.0.0", "delivers to file: " + shown);
  mailbox::Identity as = identity(scope.rights);
  if (path.ends_with('/')) return deliver_to_maildir(scope, path, as);
  mailbox::MboxTarget target{.path = path,
                             .locks = settings_.locks,
                             .open_as = as,
                             .write_as = as,
                             .mailbox = false,
                             .size_limit = settings_.mailbox_size_limit};
  target.format.delivered_to = settings_.delivered_header.file;
  mail::DeliveryStatus status = mailbox::append_to_mbox(message_for(scope), target).status;
  status.reason = status.status.is_success()
                      ? "delivered to file: " + shown
                      : fmt::format("cannot append message to file {}: {}", shown, status.reason);
  return report_to_owner(scope, status);
}

/// "~/name" is in the home directory of the user whose list this is; a list that is nobody's has none.
Delivery::Disposition Delivery::deliver_to_home_file(const Scope& scope, const std::string& path) {
  bool known = path.starts_with("~/");
  if (known && !scope.rights.home.empty()) return deliver_to_file(scope, scope.rights.home + path.substr(1));
  log::warning("{} for: {}", known ? "unknown home directory" : "bad home directory syntax", printable(path));
  return report(scope, mailbox::misconfigured("5.3.5"));
}

}  // namespace postrider::local

// Delivery to an account.
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/text.h"
#include "local/delivery.h"
#include "log/log.h"
#include "mailbox/failure.h"
#include "mailbox/maildir.h"
#include "mailbox/mbox.h"
#include "sys/file.h"

namespace postrider::local {

Delivery::Attempt Delivery::deliver_to_mailbox(Scope scope) {
  ++scope.level;
  if (!first_time("mailbox " + scope.local)) return Disposition::finished;
  std::optional<Disposition> failed;
  auto transport =
      transport_for(scope, agent_.tables.mailbox_transports, settings_.mailbox_transport, failed);
  if (failed) return failed;
  if (transport) return pass_on(scope, *transport);

  auto account = agent_.accounts.by_name(scope.user);
  if (!account) {
    log::warning("error looking up passwd info for {}: {}", printable(scope.user), account.error().text);
    return report(scope, "4.0.0", "user lookup error");
  }
  if (!*account) return std::nullopt;
  scope.rights = Rights::of(**account);
  return deliver_as_user(scope);
}

Delivery::Disposition Delivery::deliver_as_user(const Scope& scope) {
  std::optional<Disposition> failed;
  auto command = transport_for(scope, agent_.tables.mailbox_commands, settings_.mailbox_command, failed);
  if (failed) return *failed;
  if (command) return deliver_to_command(scope, *command);
  if (settings_.home_mailbox.ends_with('/')) {
    return deliver_to_maildir(scope, scope.rights.home + "/" + settings_.home_mailbox,
                              user_identity(scope.rights));
  }
  if (settings_.home_mailbox.empty() && settings_.mail_spool_directory.ends_with('/')) {
    return deliver_to_maildir(scope, settings_.mail_spool_directory + scope.user + "/",
                              user_identity(scope.rights));
  }
  return append_to_mailbox(scope);
}

Delivery::Disposition Delivery::deliver_to_maildir(const Scope& scope, const std::string& path,
                                                   mailbox::Identity as) {
  if (!first_time("maildir " + path)) return Disposition::finished;
  if (verify_only()) return report(scope, "2.0.0", "delivers to maildir");
  mailbox::MaildirTarget target{.path = path, .as = as, .size_limit = settings_.mailbox_size_limit};
  target.format.delivered_to = settings_.delivered_header.file;
  mail::DeliveryStatus status = mailbox::deliver_to_maildir(message_for(scope), target);
  if (status.status.is_success()) status.reason = "delivered to maildir";
  return report(scope, status);
}

namespace {

/// Who may open and lock a file in the spool directory. One that all may write to needs no more rights than
/// the user has, one that a group may write to those of the group; else only root can.
mailbox::Identity spool_identity(const std::string& spool, mailbox::Identity user) {
  auto status = sys::stat_file(spool);
  if (!status || (status->st_mode & S_IWOTH) != 0) return user;
  if ((status->st_mode & S_IWGRP) != 0) return {user.uid, status->st_gid};
  return {0, 0};
}

}  // namespace

Delivery::Disposition Delivery::append_to_mailbox(const Scope& scope) {
  if (verify_only()) return report(scope, "2.0.0", "delivers to mailbox");
  mailbox::Identity user = user_identity(scope.rights);
  mailbox::MboxTarget target{.path = {}, .locks = settings_.locks, .open_as = user, .write_as = user};
  if (!settings_.home_mailbox.empty()) {
    target.path = scope.rights.home + "/" + settings_.home_mailbox;
  } else {
    target.path = settings_.mail_spool_directory + "/" + scope.user;
    if (!settings_.rootless) target.open_as = spool_identity(settings_.mail_spool_directory, user);
  }
  if (target.open_as.uid != user.uid) target.owner_of_new = user;
  if (settings_.strict_mailbox_ownership) target.required_owner = user.uid;
  target.size_limit = settings_.mailbox_size_limit;
  target.format.delivered_to = settings_.delivered_header.file;
  mailbox::MboxOutcome outcome = mailbox::append_to_mbox(message_for(scope), target);
  mail::DeliveryStatus& status = outcome.status;
  if (!status.status.is_success()) {
    status.reason =
        fmt::format("cannot update mailbox {} for user {}. {}", target.path, scope.user, status.reason);
    return report(scope, status);
  }
  status.reason = "delivered to mailbox";
  Disposition done = report(scope, status);
  if (settings_.biff) agent_.biff.notify(scope.rights.name, outcome.start);
  return done;
}

}  // namespace postrider::local

// A user's own forward file.
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "local/as_user.h"
#include "local/delivery.h"
#include "local/environment.h"
#include "log/log.h"
#include "mail/dsn_parameters.h"
#include "mailbox/failure.h"

namespace postrider::local {

Delivery::Attempt Delivery::expand_forward_file(Scope scope) {
  if (settings_.forward_path.empty()) return std::nullopt;
  ++scope.level;
  auto account = agent_.accounts.by_name(scope.user);
  if (!account) {
    log::warning("error looking up passwd info for {}: {}", printable(scope.user), account.error().text);
    return report(scope, "4.0.0", "user lookup error");
  }
  if (!*account) return std::nullopt;
  scope.rights = Rights::of(**account);
  scope.from = Expansion::forward;
  scope.owner = scope.user;

  struct stat status{};
  auto path = find_forward_file(scope, status);
  if (!path) return std::nullopt;
  if (is_probe()) return report(scope, "2.0.0", "forward via file: " + *path);
  if (!first_time("forward " + *path)) {
    // The user stands in the own file: that means the mailbox, unless the file was worked off before.
    if (seen_.contains(casefold("forward-done " + *path))) return Disposition::finished;
    return std::nullopt;
  }
  scope.expanded = scope.local;
  return read_forward_file(std::move(scope), *path, status);
}

/// The first file of forward_path that exists. Says in the scope whether the extension has been used up.
std::optional<std::string> Delivery::find_forward_file(Scope& scope, struct stat& status) {
  for (const std::string& pattern : settings_.forward_path) {
    auto path = expand_for(pattern, scope, job_.request, settings_, settings_.forward_filter);
    if (!path || path->undefined) continue;
    auto found = lstat_as(path->text, user_identity(scope.rights));
    if (!found) continue;
    status = *found;
    if (path->used_extension || !contains(settings_.propagate, Expansion::forward)) scope.unmatched.reset();
    return path->text;
  }
  return std::nullopt;
}

Delivery::Attempt Delivery::read_forward_file(Scope scope, const std::string& path,
                                              const struct stat& status) {
  auto refuse = [&](std::string_view why) -> Attempt {
    log::warning("file {} {}", path, why);
    return std::nullopt;
  };
  if (!S_ISREG(status.st_mode)) return refuse("is not a regular file");
  if (status.st_uid != 0 && status.st_uid != scope.rights.uid) {
    return refuse(fmt::format("has bad owner uid {}", status.st_uid));
  }
  if ((status.st_mode & S_IWOTH) != 0) return refuse("is world writable");
  auto fd = open_as(path, user_identity(scope.rights));
  if (!fd) {
    log::warning("cannot open file {}: {}", path, mailbox::errno_text(fd.error().code));
    return std::nullopt;
  }
  Frame frame{.kind = Frame::Kind::forward_file, .scope = scope, .before = std::move(scope), .name = path};
  frame.scope.recipient.dsn_notify = without_success(frame.scope.recipient.dsn_notify);
  if (!settings_.frozen_delivered_to) frame.scope.delivered = frame.scope.recipient.address;
  frame.file.emplace(std::move(*fd), settings_.line_length_limit);
  frames_.push_back(std::move(frame));
  return Disposition::finished;
}

Delivery::Disposition Delivery::finish_forward_file(Frame frame) {
  if (frame.count == 0) {
    // An empty file forwards nothing.
    if (Attempt done = deliver_to_mailbox(frame.before)) return *done;
    return deliver_unknown(frame.before);
  }
  (void)first_time("forward-done " + frame.name);
  if ((frame.before.recipient.dsn_notify & mail::Notify::success.bits()) != 0) {
    mail::DeliveryStatus status = mailbox::delivered("alias expanded");
    status.action = mail::Action::expanded;
    agent_.reporter.trace(message_ref(), frame.before.recipient, status, attempt());
  }
  return Disposition::finished;
}

}  // namespace postrider::local

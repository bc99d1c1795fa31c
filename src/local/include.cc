// :include:/file/name
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/text.h"
#include "local/as_user.h"
#include "local/delivery.h"
#include "log/log.h"
#include "mailbox/failure.h"

namespace postrider::local {

namespace {

constexpr int kMaxIncludes = 100;

}  // namespace

Delivery::Disposition Delivery::expand_include(Scope scope, const std::string& path) {
  ++scope.level;
  if (!first_time(fmt::format("include {} {}", scope.rights.uid, path))) return Disposition::finished;
  if (++scope.includes > kMaxIncludes) return report(scope, "5.4.6", ":include: nesting limit exceeded");
  auto refuse = [&](std::string text) {
    log::warning("{}", text);
    return report(scope, mailbox::misconfigured("5.3.5"));
  };
  std::string shown = printable(path);
  if (!path.starts_with('/')) return refuse(fmt::format(":include:{} uses a relative path", shown));
  // Where nobody's rights are in force the list is the administrator's, who may read everything.
  auto status = stat_as(path, user_identity(scope.rights));
  if (!status) {
    return refuse(fmt::format("unable to lookup :include: file {}: {}", shown,
                              mailbox::errno_text(status.error().code)));
  }
  if (!S_ISREG(status->st_mode)) return refuse(fmt::format(":include: file {} is not a regular file", shown));
  if ((status->st_mode & S_IWOTH) != 0)
    return refuse(fmt::format(":include: file {} is world writable", shown));

  // A list of the administrator's gives no more rights than the owner of the file has; one of a user's gives
  // the user's, whoever owns the file.
  scope.from = Expansion::include;
  if (scope.rights.uid == 0) {
    auto account = agent_.accounts.by_uid(status->st_uid);
    if (!account || !*account) {
      log::warning("cannot find username for uid {}{}", status->st_uid,
                   account ? "" : ": " + account.error().text);
      log::warning("{}: cannot find :include: file owner username", shown);
      return report(scope, mailbox::misconfigured("4.3.5"));
    }
    if ((*account)->uid != 0) scope.rights = Rights::of(**account);
  }
  if (scope.owner.empty()) scope.owner = scope.recipient.address;
  if (!contains(settings_.propagate, Expansion::include)) scope.unmatched.reset();
  auto fd = open_as(path, user_identity(scope.rights));
  if (!fd) {
    return refuse(
        fmt::format("cannot open include file {}: {}", shown, mailbox::errno_text(fd.error().code)));
  }
  Frame frame{.kind = Frame::Kind::include, .scope = std::move(scope), .name = path};
  frame.file.emplace(std::move(*fd), settings_.line_length_limit);
  frames_.push_back(std::move(frame));
  return Disposition::finished;
}

}  // namespace postrider::local

#include "mailbox/maildir.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include <fmt/format.h>

#include "base/text.h"
#include "io/fiber.h"
#include "log/log.h"
#include "mailbox/durable.h"
#include "mailbox/failure.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/user.h"

namespace postrider::mailbox {

namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

struct Moment {
  long long seconds;
  long long microseconds;

  static Moment now() {
    auto since = std::chrono::system_clock::now().time_since_epoch();
    long long all = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
    return {all / 1'000'000, all % 1'000'000};
  }
};

std::unexpected<Error> cannot_create(const std::string& path, const Error& error) {
  return std::unexpected(Error(ErrorKind::system, error.code,
                               fmt::format("create maildir file {}: {}", path, errno_text(error.code))));
}

/// A message on its way through tmp/.
class Delivery {
 public:
  Delivery(const Message& message, const MaildirTarget& target)
      : message_(message), target_(target), host_(maildir_host_name(sys::host_name())) {}
  ~Delivery() {
    if (!temporary_.empty()) {
      if (auto done = sys::unlink_file(temporary_); !done) log::warning("remove {}", done.error().text);
    }
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  mail::DeliveryStatus run() {
    if (auto created = create(); !created)
      return report(failed(created.error(), target_.fallback), created.error());
    if (auto written = write(); !written) return report(failed(written.error()), written.error().error);
    if (auto named = publish(); !named) return report(failed(named.error(), target_.fallback), named.error());
    return delivered("");
  }

 private:
  Result<void> create() {
    const std::string directory = target_.path + "tmp";
    std::string name = fmt::format("{}/{}.P{}.{}", directory, start_.seconds, sys::process_id(), host_);
    auto fd = open_new(name);
    if (!fd && fd.error().code == ENOENT) {
      if (auto made = make_directories(directory, kDirectoryMode); !made)
        return cannot_create(name, made.error());
      fd = open_new(name);
    }
    if (!fd && fd.error().code == EEXIST) {
      // Left behind by a process of this second that had the same id.
      name = fmt::format("{}/{}.M{}P{}.{}", directory, start_.seconds, start_.microseconds, sys::process_id(),
                         host_);
      fd = open_new(name);
    }
    if (!fd) return cannot_create(name, fd.error());
    fd_ = std::move(*fd);
    temporary_ = name;
    return {};
  }

  static Result<sys::Fd> open_new(const std::string& name) {
    return sys::open_file(name, O_WRONLY | O_CREAT | O_EXCL, kFileMode);
  }

  std::expected<void, CopyFailure> write() {
    int64_t room = target_.size_limit;
    auto copied = copy_message(message_, target_.format, [&](std::string_view text) -> Result<void> {
      if (target_.size_limit > 0 && (room -= static_cast<int64_t>(text.size())) < 0) {
        return std::unexpected(Error::from_errno("write", EFBIG));
      }
      return sys::write_all(fd_.get(), text);
    });
    if (!copied) return copied;
    if (auto synced = sys::sync_fd(fd_.get()); !synced) {
      return std::unexpected(CopyFailure{CopyStep::write, std::move(synced).error()});
    }
    return {};
  }

  /// Gives the file its name in new/. Device and inode number make it unique on this machine, the host among
  /// all.
  Result<void> publish() {
    struct stat st = TRY(sys::stat_fd(fd_.get()));
    const std::string directory = target_.path + "new";
    std::string name = fmt::format("{}/{}.V{:x}I{:x}M{}.{}", directory, start_.seconds, st.st_dev, st.st_ino,
                                   start_.microseconds, host_);
    auto named = link_or_rename(name);
    if (!named && named.error().code == ENOENT) {
      auto made = make_directories(target_.path + "cur", kDirectoryMode);
      if (made) made = make_directories(directory, kDirectoryMode);
      if (!made) return cannot_create(name, made.error());
      named = link_or_rename(name);
    }
    if (!named) return cannot_create(name, named.error());
    if (auto synced = sync_names(directory); !synced) {
      (void)sys::unlink_file(name);
      return cannot_create(name, synced.error());
    }
    return {};
  }

  /// link() first, which never replaces a file; some file systems have no links.
  Result<void> link_or_rename(const std::string& name) {
    auto linked = sys::link_file(temporary_, name);
    if (linked || (linked.error().code != EPERM && linked.error().code != EOPNOTSUPP &&
                   linked.error().code != ENOSYS)) {
      return linked;
    }
    auto renamed = sys::rename_new_file(temporary_, name);
    if (renamed) temporary_.clear();
    return renamed;
  }

  mail::DeliveryStatus report(mail::DeliveryStatus status, const Error& error) const {
    if (error.code == EACCES) {
      log::warning("maildir access problem for UID/GID={}/{}: {}", target_.as.uid, target_.as.gid,
                   status.reason);
      log::warning("perhaps you need to create the maildirs in advance");
    }
    status.reason = "maildir delivery failed: " + status.reason;
    return status;
  }

  const Message& message_;
  const MaildirTarget& target_;
  std::string host_;
  Moment start_ = Moment::now();
  sys::Fd fd_;
  std::string temporary_;  // To be removed in the end.
};

}  // namespace

std::string maildir_host_name(std::string_view host) {
  return replace_all(replace_all(host, "/", "\\057"), ":", "\\072");
}

mail::DeliveryStatus deliver_to_maildir(const Message& message, const MaildirTarget& target) {
  io::NoSuspend as_another_user;
  auto user = sys::AsUser::enter(target.as.uid, target.as.gid);
  if (!user) return failed("4.3.5", user.error().text);
  return Delivery(message, target).run();
}

}  // namespace postrider::mailbox

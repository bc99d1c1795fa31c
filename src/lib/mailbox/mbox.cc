#include "mailbox/mbox.h"

#include <cerrno>

#include <fmt/format.h>

#include "io/fiber.h"
#include "log/log.h"
#include "mailbox/durable.h"
#include "mailbox/failure.h"
#include "sys/file.h"
#include "sys/user.h"

namespace postrider::mailbox {

namespace {

MboxOutcome outcome(mail::DeliveryStatus status) {
  return {.status = std::move(status)};
}

/// Whether a lock file beside the path makes sense: not for devices and FIFOs.
bool is_regular_or_new(const std::string& path) {
  auto status = sys::stat_file(path);
  return !status || S_ISREG(status->st_mode);
}

/// What is written must fit below the limit; where the system would have stopped, we stop.
Sink limited_sink(int fd, int64_t room, bool limited) {
  return [fd, room, limited](std::string_view text) mutable -> Result<void> {
    if (limited && static_cast<int64_t>(text.size()) > room) {
      return std::unexpected(Error::from_errno("write", EFBIG));
    }
    room -= static_cast<int64_t>(text.size());
    return sys::write_all(fd, text);
  };
}

std::expected<void, CopyFailure> write_and_sync(const Message& message, const MboxTarget& target,
                                                const OpenFile& file) {
  int fd = file.fd.get();
  int64_t room = target.size_limit - file.status.st_size;
  auto copied = copy_message(message, target.format, limited_sink(fd, room, target.size_limit > 0));
  if (!copied) return copied;
  auto synced = sys::sync_fd(fd);
  if (synced && file.created) synced = sync_names(sys::directory_of(target.path));
  if (!synced) return std::unexpected(CopyFailure{CopyStep::write, std::move(synced).error()});
  return {};
}

MboxOutcome append_regular(const Message& message, const MboxTarget& target, OpenFile& file) {
  // Where the end is counts only now that the file is locked.
  if (auto status = sys::stat_fd(file.fd.get())) file.status = *status;
  off_t start = file.status.st_size;
  auto written = write_and_sync(message, target, file);
  if (written) return {.status = delivered(""), .start = start};
  if (auto cut = sys::truncate_fd(file.fd.get(), start); !cut) {
    log::warning("{}: part of a message was left behind: {}", target.path, cut.error().text);
  }
  return outcome(failed(written.error()));
}

MboxOutcome append_special(const Message& message, const MboxTarget& target, const OpenFile& file) {
  auto written = copy_message(message, target.format, limited_sink(file.fd.get(), 0, false));
  return outcome(written ? delivered("") : failed(written.error()));
}

MboxOutcome append_opened(const Message& message, const MboxTarget& target, OpenFile& file) {
  bool regular = S_ISREG(file.status.st_mode);
  if (target.mailbox && !regular) {
    return outcome(failed(target.fallback, fmt::format("destination {} is not a regular file", target.path)));
  }
  if (target.required_owner && file.status.st_uid != *target.required_owner) {
    log::warning("specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch");
    return outcome(failed("4.2.0", fmt::format("destination {} is not owned by recipient", target.path)));
  }
  if (!target.mailbox && regular && (file.status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0) {
    return outcome(failed("5.7.1", "file is executable"));
  }
  auto writer = sys::AsUser::enter(target.write_as.uid, target.write_as.gid);
  if (!writer) return outcome(failed("4.3.5", writer.error().text));
  return regular ? append_regular(message, target, file) : append_special(message, target, file);
}

}  // namespace

MboxOutcome append_to_mbox(const Message& message, const MboxTarget& target) {
  io::NoSuspend as_another_user;
  auto opener = sys::AsUser::enter(target.open_as.uid, target.open_as.gid);
  if (!opener) return outcome(failed("4.3.5", opener.error().text));
  std::optional<DotLock> dot_lock;
  if (target.locks.methods.dotlock && is_regular_or_new(target.path)) {
    auto taken = DotLock::take(target.path, target.locks);
    if (taken) {
      dot_lock.emplace(std::move(*taken));
    } else if (taken.error().code == EEXIST) {
      return outcome(failed("4.2.0", taken.error().text));
    } else if (target.mailbox) {
      return outcome(failed(taken.error(), target.fallback));
    } else {
      log::warning("{}", taken.error().text);
    }
  }
  auto file = open_to_append(target.path, target.owner_of_new);
  if (!file) return outcome(failed(file.error(), target.fallback));
  if (S_ISREG(file->status.st_mode)) {
    if (auto locked = lock_file(file->fd.get(), target.locks); !locked) {
      return outcome(failed(locked.error(), target.fallback));
    }
  }
  return append_opened(message, target, *file);
}

}  // namespace postrider::mailbox

#include "local/as_user.h"

#include <fcntl.h>

#include "io/fiber.h"
#include "sys/file.h"
#include "sys/user.h"

namespace postrider::local {

namespace {

template <typename Call>
auto do_as(mailbox::Identity as, Call call) -> decltype(call()) {
  io::NoSuspend as_another_user;
  auto user = sys::AsUser::enter(as.uid, as.gid);
  if (!user) return std::unexpected(std::move(user).error());
  return call();
}

}  // namespace

Result<struct stat> stat_as(const std::string& path, mailbox::Identity as) {
  return do_as(as, [&] { return sys::stat_file(path); });
}

Result<struct stat> lstat_as(const std::string& path, mailbox::Identity as) {
  return do_as(as, [&] { return sys::lstat_file(path); });
}

Result<sys::Fd> open_as(const std::string& path, mailbox::Identity as) {
  // What was a regular file a moment ago may be a FIFO now.
  return do_as(as, [&] { return sys::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY); });
}

}  // namespace postrider::local

// Telling users with a login session that mail has come (comsat, biff(1)).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/deadline.h"
#include "sys/fd.h"

namespace postrider::local {

/// The service biff/udp of this machine. Nobody may listen there, and nobody waits for an answer.
class Biff {
 public:
  /// Mail for `user` begins at `offset` of the mailbox.
  void notify(const std::string& user, off_t offset);

 private:
  bool connect();
  sys::Fd socket_;
  std::optional<Clock::time_point> failed_at_;
};

}  // namespace postrider::local

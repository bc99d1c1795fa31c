// Replies as clients get them: footers, soft_bounce.
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "postscreen/settings.h"
#include "sys/socket.h"

namespace postrider::postscreen {

class Replies {
 public:
  Replies(const Settings& settings, const Lists& lists) : settings_(settings), lists_(lists) {}

  /// What to send for a reply of one line, with its line ends.
  std::string text(std::string_view reply, const sys::Address& client, Deadline deadline) const;
  /// The same for its first line, without an end: for the log, which shows no footer.
  std::string softened(std::string_view reply) const;

 private:
  std::string footer_template(std::string_view reply, Deadline deadline) const;

  const Settings& settings_;
  const Lists& lists_;
};

}  // namespace postrider::postscreen

// The configuration of the pickup service.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "config/config.h"
#include "mail/address_parts.h"

namespace postrider::pickup {

struct Settings {
  explicit Settings(const config::Config& config);

  std::string queue_directory, myhostname, mail_name;
  std::string content_filter;
  size_t line_length_limit;
  uint32_t cleanup_flags;     ///< Without those of the next.
  uint32_t autodetect_flags;  ///< For mail that a user submits: not for requeued mail.
  uid_t owner = 0;            ///< Files of this user were put here by the mail system itself.
  mail::LogForm log_form;     ///< How log lines show addresses.
  seconds ipc_timeout;
};

}  // namespace postrider::pickup

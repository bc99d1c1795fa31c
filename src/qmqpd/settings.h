// The QMQP server's configuration.
#pragma once

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "config/config.h"

namespace postrider::qmqpd {

struct Settings {
  explicit Settings(const config::Config& config);

  std::string myhostname, mail_name;
  std::string content_filter, verp_delimiter_filter;
  size_t line_length_limit;
  uint64_t message_size_limit;  ///< Without a limit: the largest number that a length can be.
  seconds timeout;              ///< For each wait for the client.
  seconds error_delay;          ///< Before a negative reply.
  seconds ipc_timeout;
  bool client_port_logging;
  bool soft_bounce;
  uint32_t cleanup_flags;  ///< proto::CleanupFlag for each message.
};

}  // namespace postrider::qmqpd

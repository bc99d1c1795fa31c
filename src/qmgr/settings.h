// The queue manager's configuration.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "mail/address_parts.h"
#include "qmgr/scheduler.h"
#include "queue/store.h"

namespace postrider::qmgr {

struct Settings {
  explicit Settings(const config::Config& config);

  const config::Config& config;
  queue::Layout layout;

  size_t message_active_limit;
  size_t message_recipient_limit;  ///< Recipients in memory, all messages together.
  size_t recipients_per_message;   ///< How many of one message are read at a time.
  seconds queue_run_delay;
  seconds minimal_backoff, maximal_backoff;
  seconds message_lifetime, bounce_lifetime;
  seconds delay_warning;     ///< 0: no notices.
  std::set<std::string, std::less<>> defer_transports;
  std::string error_service, retry_service;
  std::string double_bounce_sender;
  std::string recipient_delimiter;
  mail::LogForm log_form;
  std::string default_filter_nexthop, myhostname;
  seconds ipc_timeout;

  /// The rules of a transport, from its <transport>_... parameters.
  TransportRules rules(std::string_view transport) const;
};

}  // namespace postrider::qmgr

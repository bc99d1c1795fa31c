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
  size_t message_recipient_limit;    ///< Recipients of the messages that have just entered, all together.
  size_t message_recipient_minimum;  ///< Recipients that a message can have in memory in any case.
  size_t probe_limit;                ///< Address verification probes in the active queue.
  seconds queue_run_delay;
  seconds minimal_backoff, maximal_backoff;
  seconds message_lifetime, bounce_lifetime;
  bool confirm_delay_cleared;  ///< Senders who were told of a delay are told of the delivery.
  bool verp_bounces;           ///< Failures of mail sent with VERP are reported one by one.
  seconds clog_warn;           ///< Between warnings about one destination; 0: none.
  bool helpful;                ///< Warnings come with advice.
  bool feedback_debug;         ///< Changes of concurrency are logged.
  std::set<std::string, std::less<>> defer_transports;
  std::string error_service, retry_service;
  std::string double_bounce_sender;
  std::string recipient_delimiter;
  mail::LogForm log_form;
  std::string default_filter_nexthop, myhostname;
  std::string verp_characters;  ///< That can be delimiters.
  seconds ipc_timeout;          ///< For the other services.
  seconds daemon_timeout;

  /// The rules of a transport, from its <transport>_... parameters.
  TransportRules rules(std::string_view transport) const;
};

}  // namespace postrider::qmgr

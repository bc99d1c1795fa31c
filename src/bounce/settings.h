// The configuration of the bounce, defer and trace services.
#pragma once

#include <string>

#include "config/config.h"
#include "dsn/expand.h"
#include "dsn/notice.h"
#include "queue/delivery_log.h"

namespace postrider::bounce {

struct Settings {
  /// `service` is the name in master.cf that this process serves.
  Settings(const config::Config& config, std::string_view service);

  queue::LogKind log;  ///< The logs that this service keeps.
  dsn::Appearance appearance;
  dsn::Templates templates;
  dsn::Expander expander;
  std::string double_bounce;  ///< The address.
  std::string bounce_recipient, double_bounce_recipient, delay_recipient;
  bool copy_bounces = false, report_double_bounces = false, copy_delays = false;  ///< notify_classes
  bool redact_required_tls;
  queue::LogForm log_form;  ///< backwards_bounce_logfile_compatibility
  seconds ipc_timeout;
};

}  // namespace postrider::bounce

// What is known about a policy service from the configuration (SMTPD_POLICY_README).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"

namespace postrider::policy {

struct ServiceSettings {
  /// The parameters smtpd_policy_service_*.
  explicit ServiceSettings(const config::Config& config);

  std::string endpoint;  ///< "inet:127.0.0.1:9998", "unix:private/policy"
  std::string default_action, policy_context;
  seconds timeout, max_idle, max_ttl, retry_delay;
  size_t request_limit;  ///< Over one connection; 0: none.
  size_t try_limit;

  /// Whether it is a UNIX-domain socket, and where it is.
  bool is_local() const;
  /// The endpoint without the word in front: "127.0.0.1:9998".
  std::string_view address() const;
};

/// The argument of check_policy_service: an endpoint, or in braces an endpoint and settings that differ from
/// `defaults`, named as the parameters are without "smtpd_policy_service_". The error's text is a log line.
Result<ServiceSettings> parse_service(std::string_view text, const ServiceSettings& defaults);

}  // namespace postrider::policy

#include "qmqpd/settings.h"

#include <limits>

#include "clients/receive_overrides.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "proto/cleanup.h"

namespace postrider::qmqpd {

namespace params = config::params;

namespace {

uint64_t size_limit(int64_t limit) {
  return static_cast<uint64_t>(limit > 0 ? limit : std::numeric_limits<int64_t>::max());
}

uint32_t flags_for_cleanup(const config::Config& config) {
  uint32_t out = clients::receive_overrides(config).cleanup_flags();
  if (clients::detects_smtputf8(config, "qmqpd")) out |= proto::kCleanupAutoUtf8;
  return out;
}

}  // namespace

Settings::Settings(const config::Config& c)
    : myhostname(c.get(params::myhostname)),
      mail_name(c.get(params::mail_name)),
      content_filter(c.get(params::content_filter)),
      verp_delimiter_filter(c.get(params::verp_delimiter_filter)),
      line_length_limit(static_cast<size_t>(c.get(params::line_length_limit))),
      message_size_limit(size_limit(c.get(params::message_size_limit))),
      timeout(c.get(params::qmqpd_timeout)),
      error_delay(c.get(params::qmqpd_error_delay)),
      ipc_timeout(c.get(params::ipc_timeout)),
      client_port_logging(c.get(params::qmqpd_client_port_logging)),
      soft_bounce(c.get(params::soft_bounce)),
      cleanup_flags(flags_for_cleanup(c)) {}

}  // namespace postrider::qmqpd

#include "mailbox/settings.h"

#include <fmt/format.h>

#include "config/params/cleanup.h"
#include "config/params/local.h"

namespace postrider::mailbox {

namespace params = config::params;

LockPolicy lock_policy(const config::Config& config, config::Param<std::string> lock) {
  auto methods = parse_lock_methods(lock.name(), config.get(lock));
  if (!methods) {
    throw config::ConfigError(methods.error().text, config.source(lock.name()),
                              "use any of flock, fcntl, dotlock");
  }
  return {.methods = *methods,
          .attempts = config.get(params::deliver_lock_attempts),
          .delay = config.get(params::deliver_lock_delay),
          .stale_time = config.get(params::stale_lock_time)};
}

int64_t mailbox_limit(const config::Config& config, config::Param<int64_t> limit) {
  int64_t mailbox = config.get(limit), message = config.get(params::message_size_limit);
  if (mailbox <= 0) return 0;
  auto source = config.source(limit.name());
  if (message <= 0) {
    throw config::ConfigError(
        fmt::format("main.cf configuration error: {} is limited but message_size_limit is unlimited",
                    limit.name()),
        source, "limit message_size_limit too");
  }
  if (mailbox < message) {
    throw config::ConfigError(
        fmt::format("main.cf configuration error: {} is smaller than message_size_limit", limit.name()),
        source, fmt::format("raise {}", limit.name()));
  }
  return mailbox;
}

}  // namespace postrider::mailbox

#include "pickup/settings.h"

#include <unistd.h>

#include "clients/receive_overrides.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "proto/cleanup.h"
#include "sys/user.h"

namespace postrider::pickup {

namespace params = config::params;

namespace {

uint32_t flags_for_cleanup(const config::Config& config) {
  // Nobody waits for an answer: what cannot be accepted is returned to its sender.
  return proto::kCleanupBounce | clients::receive_overrides(config).cleanup_flags();
}

uid_t owner_of_queue(const config::Config& config) {
  auto user = sys::find_user(config.get(params::mail_owner));
  // Without root everything belongs to the user that runs the mail system.
  return user && *user && geteuid() == 0 ? (*user)->uid : geteuid();
}

}  // namespace

Settings::Settings(const config::Config& config)
    : queue_directory(config.get(params::queue_directory)),
      myhostname(config.get(params::myhostname)),
      mail_name(config.get(params::mail_name)),
      content_filter(config.get(params::content_filter)),
      line_length_limit(static_cast<size_t>(config.get(params::line_length_limit))),
      cleanup_flags(flags_for_cleanup(config)),
      autodetect_flags(clients::detects_smtputf8(config, "sendmail") ? uint32_t{proto::kCleanupAutoUtf8} : 0),
      owner(owner_of_queue(config)),
      log_form(mail::parse_log_form(config.get(params::info_log_address_format))
                   .value_or(mail::LogForm::external)),
      ipc_timeout(config.get(params::ipc_timeout)) {}

}  // namespace postrider::pickup

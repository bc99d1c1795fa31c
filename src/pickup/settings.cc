#include "pickup/settings.h"

#include <unistd.h>

#include <algorithm>

#include "base/text.h"
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

constexpr std::string_view kOverrides[] = {"no_unknown_recipient_checks", "no_address_mappings",
                                           "no_header_body_checks", "no_milters"};
enum Override : uint32_t { kNoMappings = 2, kNoChecks = 4, kNoMilters = 8 };

uint32_t flags_for_cleanup(const config::Config& config) {
  auto words = config::parse_words("receive_override_options", config.get(params::receive_override_options),
                                   kOverrides);
  if (!words) {
    throw config::ConfigError(
        words.error().text, config.source("receive_override_options"),
        "use no_unknown_recipient_checks, no_address_mappings, no_header_body_checks, no_milters");
  }
  // Nobody waits for an answer: what cannot be accepted is returned to its sender.
  uint32_t out = proto::kCleanupBounce;
  if ((*words & kNoChecks) == 0) out |= proto::kCleanupFilter;
  if ((*words & kNoMappings) == 0) out |= proto::kCleanupBcc | proto::kCleanupMap;
  if ((*words & kNoMilters) == 0) out |= proto::kCleanupMilter;
  return out;
}

bool detects_smtputf8(const config::Config& config) {
  if (!config.get(params::smtputf8_enable)) return false;
  std::string classes = config.get(params::smtputf8_autodetect_classes);
  auto words = split_any(classes, kListSeparators);
  return std::any_of(words.begin(), words.end(), [](std::string_view word) {
    return equals_ignore_case(word, "sendmail") || equals_ignore_case(word, "all");
  });
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
      autodetect_flags(detects_smtputf8(config) ? uint32_t{proto::kCleanupAutoUtf8} : 0),
      owner(owner_of_queue(config)),
      ipc_timeout(config.get(params::ipc_timeout)) {}

}  // namespace postrider::pickup

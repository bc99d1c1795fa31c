#include "clients/receive_overrides.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/cleanup.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/smtpd.h"
#include "proto/cleanup.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

constexpr std::string_view kWords[] = {"no_unknown_recipient_checks", "no_address_mappings",
                                       "no_header_body_checks", "no_milters"};
constexpr std::string_view kSources[] = {"sendmail", "smtpd",  "qmqpd",  "forward",
                                         "bounce",   "notify", "verify", "all"};
enum Word : uint32_t { kNoRecipientChecks = 1, kNoMappings = 2, kNoContentChecks = 4, kNoMilters = 8 };

}  // namespace

uint32_t ReceiveOverrides::cleanup_flags() const {
  uint32_t out = 0;
  if (content_checks) out |= proto::kCleanupFilter;
  if (mappings) out |= proto::kCleanupBcc | proto::kCleanupMap;
  if (milters) out |= proto::kCleanupMilter;
  return out;
}

ReceiveOverrides receive_overrides(const config::Config& config) {
  auto words =
      config::parse_words("receive_override_options", config.get(params::receive_override_options), kWords);
  if (!words) {
    throw config::ConfigError(
        words.error().text, config.source("receive_override_options"),
        "use no_unknown_recipient_checks, no_address_mappings, no_header_body_checks, no_milters");
  }
  return {.recipient_checks = (*words & kNoRecipientChecks) == 0,
          .mappings = (*words & kNoMappings) == 0,
          .content_checks = (*words & kNoContentChecks) == 0,
          .milters = (*words & kNoMilters) == 0};
}

bool detects_smtputf8(const config::Config& config, std::string_view source) {
  if (!config.get(params::smtputf8_enable)) return false;
  std::string classes = config.get(params::smtputf8_autodetect_classes);
  bool found = false;
  for (std::string_view word : split_any(classes, kListSeparators)) {
    auto is = [&](std::string_view known) { return equals_ignore_case(word, known); };
    if (std::none_of(std::begin(kSources), std::end(kSources), is)) {
      throw config::ConfigError(
          fmt::format("unknown smtputf8_autodetect_classes value \"{}\" in \"{}\"", word, classes),
          config.source("smtputf8_autodetect_classes"),
          "use sendmail, smtpd, qmqpd, forward, bounce, notify, verify or all");
    }
    found = found || is(source) || is("all");
  }
  return found;
}

}  // namespace postrider::clients

#include "bounce/settings.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/bounce.h"
#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/params/tls.h"

namespace postrider::bounce {

namespace params = config::params;

namespace {

queue::LogKind log_kind(const config::Config& config, std::string_view service) {
  if (service == config.get(params::bounce_service_name)) return queue::LogKind::bounce;
  if (service == config.get(params::defer_service_name)) return queue::LogKind::defer;
  if (service == config.get(params::trace_service_name)) return queue::LogKind::trace;
  throw config::ConfigError(fmt::format("service {}: not bounce, defer or trace", service), {},
                            "name the service in master.cf as bounce_service_name, defer_service_name or "
                            "trace_service_name say");
}

dsn::Templates load_templates(const config::Config& config) {
  std::string path = config.get(params::bounce_template_file);
  if (path.empty()) return {};
  auto templates = dsn::read_templates(path);
  if (!templates) {
    throw config::ConfigError(templates.error().text, config.source("bounce_template_file"),
                              "correct the template file; `postconf -b FILE` checks it");
  }
  return std::move(*templates);
}

}  // namespace

Settings::Settings(const config::Config& config, std::string_view service)
    : log(log_kind(config, service)),
      appearance(config),
      templates(load_templates(config)),
      expander(config),
      double_bounce(config.get(params::double_bounce_sender)),
      bounce_recipient(config.get(params::bounce_notice_recipient)),
      double_bounce_recipient(config.get(params::_2bounce_notice_recipient)),
      delay_recipient(config.get(params::delay_notice_recipient)),
      redact_required_tls(config.get(params::requiretls_redact_dsn)),
      log_form(config.get(params::backwards_bounce_logfile_compatibility) ? queue::LogForm::headline
                                                                          : queue::LogForm::attributes),
      ipc_timeout(config.get(params::ipc_timeout)) {
  if (double_bounce.find('@') == std::string::npos) double_bounce += "@" + appearance.hostname;
  constexpr std::array<std::string_view, 8> kClasses = {"bounce",   "2bounce",  "policy", "protocol",
                                                        "resource", "software", "delay",  "data"};
  const std::string classes = config.get(params::notify_classes);
  for (std::string_view word : split_any(classes, kListSeparators)) {
    std::string name = lowercase(word);
    if (std::ranges::find(kClasses, name) == kClasses.end()) {
      throw config::ConfigError(fmt::format("unknown notify_classes value \"{}\" in \"{}\"", word, classes),
                                config.source("notify_classes"),
                                "give bounce, 2bounce, data, delay, policy, protocol, resource or software");
    }
    if (name == "bounce") copy_bounces = true;
    if (name == "2bounce") report_double_bounces = true;
    if (name == "delay") copy_delays = true;
  }
}

}  // namespace postrider::bounce

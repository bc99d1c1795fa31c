// Values that are none: "smtpd_helo_required = on".
#include <algorithm>

#include <fmt/format.h>

#include "base/hostname.h"
#include "base/text.h"
#include "config/compat_level.h"
#include "config/families.h"
#include "config/table.h"
#include "milter/settings.h"
#include "tools/lint/checks.h"

namespace postrider::lint {

namespace {

void check_host_name(const Model& model, Report& report, std::string_view name) {
  std::string host = model.value(name);
  std::string problem = hostname_problem(host);
  if (problem.empty()) return;
  report.add(codes::bad_value, model.place(name),
             fmt::format("{} = {} is no host name: {}", name, host, problem),
             fmt::format("set {} to a full Internet host name", name));
}

/// Milters are "inet:host:port", "unix:/path", or one of these with settings in braces.
void check_milters(const Model& model, Report& report, std::string_view name, const Service* service) {
  std::string value = model.value(name, service);
  for (std::string_view word : list_words(value)) {
    std::string_view endpoint = word;
    if (endpoint.starts_with('{')) {
      endpoint.remove_prefix(1);
      endpoint = next_token(endpoint, ", \t\r\n{}").value_or("");
    }
    constexpr std::string_view kKinds[] = {"inet:", "unix:", "local:"};
    if (std::ranges::any_of(kKinds, [&](std::string_view kind) { return endpoint.starts_with(kind); }))
      continue;
    report.add(codes::bad_value, model.place(name, service, word),
               fmt::format("{} has {}, which is no milter", name, word),
               "write inet:host:port or unix:/path");
  }
  if (auto filters = milter::parse_filters(value, {}); !filters) {
    report.add(
        codes::bad_value, model.place(name, service), fmt::format("{}: {}", name, filters.error().text),
        "the settings of a milter are connect_timeout, command_timeout, content_timeout, default_action and "
        "protocol");
  }
}

/// What decides about a milter is read when a client comes, and mail waits where it is no good.
void check_milter_words(const Model& model, Report& report, std::string_view name, const Service* service) {
  std::string value = model.value(name, service);
  if (name == "milter_default_action" && !milter::parse_default_action(value)) {
    report.add(codes::bad_value, model.place(name, service), fmt::format("{} cannot be {}", name, value),
               "use accept, reject, tempfail, quarantine or shutdown");
  }
  if (name == "milter_protocol" && !milter::parse_protocol(value)) {
    report.add(codes::bad_value, model.place(name, service), fmt::format("{} cannot be {}", name, value),
               "use 2, 3, 4 or 6; no_header_reply may follow");
  }
}

/// x_destination_recipient_limit and its kin.
void check_families(const Model& model, Report& report) {
  using namespace config::families;
  for (const Service& service : model.services()) {
    if (config::families_of_command(service.program).empty()) continue;
    auto check = [&](const auto& param) {
      try {
        (void)service.config.get(param, service.entry.name);
      } catch (const config::ConfigError& error) {
        std::string name = fmt::format("{}{}", service.entry.name, param.suffix);
        report.add(codes::bad_value, model.place(name), error.what(), error.remedy());
      }
    };
    check(destination_concurrency_limit);
    check(destination_recipient_limit);
    check(recipient_limit);
    check(destination_rate_delay);
    check(transport_rate_delay);
    check(time_limit);
  }
}

/// An agent does not start when a message that is accepted may be larger than a mailbox.
void check_limits(const Model& model, Report& report, std::string_view limit, std::string_view transport,
                  std::string_view program) {
  if (!model.config().is_set(limit) && !model.config().is_set("message_size_limit")) return;
  std::string name = model.value(transport);
  const Service* service = model.local_service(name.substr(0, name.find(':')));
  if (!service || service->program != program) return;
  auto mailbox = parse_int(model.value(limit, service));
  auto message = parse_int(model.value("message_size_limit", service));
  bool fits = !mailbox || !message || *mailbox <= 0 || (*message > 0 && *mailbox >= *message);
  if (fits) return;
  report.add(codes::bad_value, model.place(model.config().is_set(limit) ? limit : "message_size_limit"),
             fmt::format("{} ({}) is smaller than message_size_limit ({}): {} does not start", limit,
                         *mailbox, *message, program),
             fmt::format("set {} to 0, or to {} at least", limit, *message));
}

}  // namespace

void check_values(const Model& model, Report& report) {
  model.each_setting([&](std::string_view name, const std::string& text, const Service* service) {
    const config::ParamInfo* info = config::find_param(name);
    if (name == "smtpd_milters" || name == "non_smtpd_milters") check_milters(model, report, name, service);
    check_milter_words(model, report, name, service);
    // Old names count with the value of the new one's type, which checks them.
    if (!info || info->default_kind == config::ParamDefault::none || config::is_read_only(name)) return;
    // That a name in it is unknown is the reason, and has been said.
    if (model.has_undefined_names(text, service)) return;
    try {
      config::check_value(service ? service->config : model.config(), *info);
    } catch (const config::ConfigError& error) {
      // What cannot be expanded has mostly been said together with the names in it.
      Place place = model.place(name, service);
      if (error.warning.empty() || !report.has(place))
        report.add(codes::bad_value, place, error.warning.empty() ? error.what() : error.warning,
                   error.remedy());
    }
  });
  check_families(model, report);
  if (!model.value("mydestination").empty())
    check_limits(model, report, "mailbox_size_limit", "local_transport", "local");
  if (model.config().is_set("virtual_mailbox_domains"))
    check_limits(model, report, "virtual_mailbox_limit", "virtual_transport", "virtual");
  check_host_name(model, report, "myhostname");
  check_host_name(model, report, "mydomain");
  std::string level = model.value("compatibility_level");
  if (!config::CompatLevel::parse(level)) {
    report.add(codes::bad_value, model.place("compatibility_level"), config::malformed_compat_level(level),
               fmt::format("give a release number such as {}", config::kLatestCompatLevelText));
  }
}

}  // namespace postrider::lint

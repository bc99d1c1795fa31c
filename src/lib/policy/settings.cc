#include "policy/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/smtpd_access.h"
#include "config/value_text.h"
#include "table/syntax.h"

namespace postrider::policy {

namespace params = config::params;

namespace {

size_t count(int value) {
  return static_cast<size_t>(std::max(value, 0));
}

bool starts_with_transport(std::string_view endpoint) {
  for (std::string_view transport : {"inet:", "unix:", "local:"}) {
    if (endpoint.starts_with(transport) && endpoint.size() > transport.size()) return true;
  }
  return false;
}

Result<void> check_endpoint(std::string_view endpoint) {
  if (starts_with_transport(endpoint)) return {};
  size_t colon = endpoint.find(':');
  if (colon == std::string_view::npos) {
    return fail(ErrorKind::invalid,
                fmt::format("need service transport:endpoint instead of \"{}\"", endpoint));
  }
  return fail(ErrorKind::invalid,
              fmt::format("invalid transport name: {} in service: {}", endpoint.substr(0, colon), endpoint));
}

bool set_time(seconds& to, const std::string& value) {
  auto time = config::parse_time(value, 's');
  if (time) to = *time;
  return time && time->count() > 0;
}

bool set_count(size_t& to, const std::string& value, size_t min) {
  auto number = config::parse_number(value);
  if (!number || *number < static_cast<int>(min)) return false;
  to = static_cast<size_t>(*number);
  return true;
}

/// False for a name that is no setting, and for a value that is none for it.
bool set(ServiceSettings& to, const std::string& name, const std::string& value) {
  if (name == "timeout") return set_time(to.timeout, value);
  if (name == "max_idle") return set_time(to.max_idle, value);
  if (name == "max_ttl") return set_time(to.max_ttl, value);
  if (name == "retry_delay") return set_time(to.retry_delay, value);
  if (name == "request_limit") return set_count(to.request_limit, value, 0);
  if (name == "try_limit") return set_count(to.try_limit, value, 1);
  if (name == "default_action") {
    to.default_action = value;
    return true;
  }
  if (name == "policy_context") {
    to.policy_context = value;
    return true;
  }
  return false;
}

}  // namespace

ServiceSettings::ServiceSettings(const config::Config& c)
    : default_action(c.get(params::smtpd_policy_service_default_action)),
      policy_context(c.get(params::smtpd_policy_service_policy_context)),
      timeout(c.get(params::smtpd_policy_service_timeout)),
      max_idle(c.get(params::smtpd_policy_service_max_idle)),
      max_ttl(c.get(params::smtpd_policy_service_max_ttl)),
      retry_delay(c.get(params::smtpd_policy_service_retry_delay)),
      request_limit(count(c.get(params::smtpd_policy_service_request_limit))),
      try_limit(count(c.get(params::smtpd_policy_service_try_limit))) {}

bool ServiceSettings::is_local() const {
  return !endpoint.starts_with("inet:");
}

std::string_view ServiceSettings::address() const {
  return std::string_view(endpoint).substr(endpoint.find(':') + 1);
}

Result<ServiceSettings> parse_service(std::string_view text, const ServiceSettings& defaults) {
  ServiceSettings out = defaults;
  if (!text.starts_with('{')) {
    TRY(check_endpoint(text));
    out.endpoint = text;
    return out;
  }
  std::string_view rest = TRY(table::in_braces(text));
  auto endpoint = table::next_item(rest);
  TRY(check_endpoint(endpoint.value_or(std::string_view())));
  out.endpoint = *endpoint;
  while (auto item = table::next_item(rest)) {
    std::string_view setting = *item;
    if (setting.starts_with('{')) setting = TRY(table::in_braces(setting));
    config::Assignment assignment = TRY(config::parse_assignment(setting));
    if (!set(out, assignment.name, assignment.value)) {
      return fail(ErrorKind::invalid,
                  fmt::format("unknown option: \"{} = {}\"", assignment.name, assignment.value));
    }
  }
  return out;
}

}  // namespace postrider::policy

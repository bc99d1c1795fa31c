#include "milter/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/instance.h"
#include "config/params/milter.h"
#include "config/params/system.h"
#include "config/value_text.h"
#include "table/syntax.h"

namespace postrider::milter {

namespace params = config::params;

namespace {

Result<void> set_time(seconds& to, const config::Assignment& setting) {
  auto time = config::parse_time(setting.value, 's');
  if (!time) {
    return fail(ErrorKind::invalid,
                fmt::format("{}: bad time value or unit: {}", setting.name, setting.value));
  }
  if (time->count() < 1)
    return fail(ErrorKind::invalid, fmt::format("{}: time limit must be at least 1s", setting.name));
  to = *time;
  return {};
}

Result<void> set(FilterSettings& to, const config::Assignment& setting) {
  if (setting.name == "connect_timeout") return set_time(to.connect_timeout, setting);
  if (setting.name == "command_timeout") return set_time(to.command_timeout, setting);
  if (setting.name == "content_timeout") return set_time(to.content_timeout, setting);
  if (setting.name == "default_action") {
    to.default_action = setting.value;
  } else if (setting.name == "protocol") {
    to.protocol = setting.value;
  } else {
    return fail(ErrorKind::invalid, fmt::format("unknown option: \"{} = {}\"", setting.name, setting.value));
  }
  return {};
}

Result<FilterSettings> parse_filter(std::string_view text, const FilterSettings& defaults) {
  FilterSettings out = defaults;
  if (!text.starts_with('{')) {
    out.endpoint = text;
    return out;
  }
  std::string_view rest = TRY(table::in_braces(text));
  auto endpoint = table::next_item(rest);
  if (!endpoint) return fail(ErrorKind::invalid, fmt::format("empty milter definition: \"{}\"", text));
  out.endpoint = *endpoint;
  while (auto item = table::next_item(rest)) {
    std::string_view setting = *item;
    if (setting.starts_with('{')) setting = TRY(table::in_braces(setting));
    config::Assignment assignment = TRY(config::parse_assignment(setting));
    TRY(set(out, assignment));
  }
  return out;
}

std::vector<std::string> names(const std::string& list) {
  std::vector<std::string> out;
  for (std::string_view name : split_any(list, kListSeparators))
    out.emplace_back(name);
  return out;
}

}  // namespace

std::optional<DefaultAction> parse_default_action(std::string_view word) {
  if (word == "accept") return DefaultAction::accept;
  if (word == "reject") return DefaultAction::reject;
  if (word == "tempfail") return DefaultAction::tempfail;
  if (word == "quarantine") return DefaultAction::quarantine;
  if (word == "shutdown") return DefaultAction::shutdown;
  return std::nullopt;
}

Result<Protocol> parse_protocol(std::string_view text) {
  Protocol out;
  bool versioned = false;
  for (std::string_view word : split_any(text, kListSeparators)) {
    if (word == "2" || word == "3" || word == "4" || word == "6") {
      out.version = static_cast<uint32_t>(word[0] - '0');
      versioned = true;
    } else if (word == "no_header_reply") {
      out.no_header_reply = true;
    } else {
      return fail(ErrorKind::invalid, std::string(word));
    }
  }
  if (!versioned) return fail(ErrorKind::invalid, std::string(text));
  return out;
}

std::string_view bare_name(std::string_view macro) {
  if (macro.size() > 2 && macro.front() == '{' && macro.back() == '}')
    return macro.substr(1, macro.size() - 2);
  return macro;
}

Settings::Settings(const config::Config& c)
    : defaults{.endpoint = {},
               .connect_timeout = c.get(params::milter_connect_timeout),
               .command_timeout = c.get(params::milter_command_timeout),
               .content_timeout = c.get(params::milter_content_timeout),
               .default_action = c.get(params::milter_default_action),
               .protocol = c.get(params::milter_protocol)},
      macros{names(c.get(params::milter_connect_macros)),
             names(c.get(params::milter_helo_macros)),
             names(c.get(params::milter_mail_macros)),
             names(c.get(params::milter_rcpt_macros)),
             names(c.get(params::milter_data_macros)),
             names(c.get(params::milter_end_of_data_macros)),
             names(c.get(params::milter_end_of_header_macros)),
             names(c.get(params::milter_unknown_command_macros))},
      hostname(c.get(params::myhostname)),
      daemon_name(c.get(params::milter_macro_daemon_name)),
      version(c.get(params::milter_macro_v)) {
  const std::string list = c.get(params::milter_macro_defaults);
  std::string_view rest = list;
  auto malformed = [&](const Error& error) {
    return config::ConfigError(error.text, c.source("milter_macro_defaults"),
                               "write name=value, or { name = value } when there is white space in it");
  };
  while (auto item = table::next_item(rest)) {
    std::string_view text = *item;
    // A macro's own name may be in braces; what is wrapped has white space or a "=" inside.
    if (text.starts_with('{') && text.ends_with('}') && text.find('=') != std::string_view::npos) {
      auto inside = table::in_braces(text);
      if (!inside) throw malformed(inside.error());
      text = *inside;
    }
    auto pair = config::parse_assignment(text);
    if (!pair) throw malformed(pair.error());
    macro_defaults.emplace_back(bare_name(pair->name), pair->value);
  }
}

Result<std::vector<FilterSettings>> parse_filters(std::string_view list, const FilterSettings& defaults) {
  std::vector<FilterSettings> out;
  while (auto item = table::next_item(list))
    out.push_back(TRY(parse_filter(*item, defaults)));
  return out;
}

bool needs_network(const std::vector<FilterSettings>& filters) {
  return std::any_of(filters.begin(), filters.end(),
                     [](const FilterSettings& filter) { return filter.endpoint.starts_with("inet:"); });
}

}  // namespace postrider::milter

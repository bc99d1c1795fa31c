#include "smtp/require_tls.h"

#include <fmt/format.h>

#include "base/idna.h"
#include "base/text.h"
#include "clients/tables.h"
#include "table/syntax.h"

namespace postrider::smtp_client {

RequireTlsRules::RequireTlsRules(table::Catalog& catalog, const config::Config& config,
                                 config::Param<std::string> parameter, std::vector<std::string>& paths)
    : parameter_(parameter.name()) {
  std::string value = config.get(parameter);
  std::string_view rest = value;
  while (auto item = table::next_item(rest)) {
    if (item->find(':') == item->npos) {
      rules_.emplace_back(std::string(*item));
      continue;
    }
    auto maps = table::Maps::create(catalog, parameter_, *item);
    if (!maps) {
      throw config::ConfigError(maps.error().text, config.source(parameter_),
                                "name actions, and tables as type:name");
    }
    clients::add_required_paths(*item, paths);
    rules_.emplace_back(std::move(*maps));
  }
}

Result<RequireTls> RequireTlsRules::parse(std::string_view word) const {
  constexpr struct {
    std::string_view name;
    RequireTls action;
  } kActions[] = {{"enforce", RequireTls::enforce},
                  {"opportunistic+starttls", RequireTls::starttls},
                  {"opportunistic", RequireTls::opportunistic},
                  {"disable", RequireTls::off}};
  for (const auto& known : kActions) {
    if (equals_ignore_case(known.name, word)) return known.action;
  }
  return fail(ErrorKind::invalid, fmt::format("{}: unknown action \"{}\"", parameter_, printable(word)));
}

Result<RequireTls> RequireTlsRules::find(std::string_view destination, Deadline deadline) const {
  std::string key = lowercase(destination);
  if (!is_all_ascii(key)) key = domain_to_ascii(key, IdnaMapping::idna2008).value_or(key);
  for (const auto& rule : rules_) {
    if (const auto* word = std::get_if<std::string>(&rule)) return parse(*word);
    const auto& maps = std::get<table::Maps>(rule);
    auto found = TRY(maps.find(key, table::Where::all, deadline));
    // Parent domains, for tables that have names as they are.
    for (size_t dot = key.find('.', 1); !found && dot != key.npos; dot = key.find('.', dot + 1))
      found = TRY(maps.find(std::string_view(key).substr(dot), table::Where::fixed_keys, deadline));
    if (found) return parse(trim(found->value));
  }
  return RequireTls::enforce;
}

}  // namespace postrider::smtp_client

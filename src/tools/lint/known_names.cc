#include "tools/lint/known_names.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/families.h"
#include "config/macro.h"
#include "config/table.h"
#include "tools/lint/nearest.h"
#include "tools/postconf/database.h"

namespace postrider::lint {

KnownNames::KnownNames(const Model& model) : model_(model) {
  for (const Service& service : model.services())
    for (const config::Family& family : config::families_of_command(service.program))
      families_.insert(fmt::format("{}{}", service.entry.name, family.suffix));
  model.each_setting([&](std::string_view name, const std::string& text, const Service* service) {
    set_.emplace(name);
    add_references(name, text, service);
  });
}

void KnownNames::add_references(std::string_view name, const std::string& text, const Service* service) {
  const config::ParamInfo* info = config::find_param(name);
  if (info && info->type == config::ParamType::raw) return;
  (void)config::visit_macros(text, [&](std::string_view reference) { references_.emplace(reference); });
  if (name == "smtpd_restriction_classes") {
    std::string classes = model_.expand(text, service);
    for (std::string_view word : split_any(classes, kListSeparators))
      references_.emplace(word);
  }
  if (info || references_.contains(name)) add_databases(model_.expand(text, service));
}

/// "mysql:x" makes x_hosts a parameter.
void KnownNames::add_databases(const std::string& value) {
  postconf::visit_databases(value, {.table = [&](std::string_view type, std::string_view name) {
                              if (name.starts_with('/') || name.starts_with('.')) return;
                              for (std::string_view parameter : postconf::database_parameters(type))
                                references_.insert(fmt::format("{}_{}", name, parameter));
                            }});
}

bool KnownNames::contains(std::string_view name) const {
  return config::find_param(name) || families_.contains(name) || references_.contains(name);
}

bool KnownNames::is_defined(std::string_view name) const {
  return config::find_param(name) || families_.contains(name) || set_.contains(name);
}

std::string_view KnownNames::nearest(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const config::ParamInfo* info : config::all_params())
    if (info->default_kind != config::ParamDefault::none) known.push_back(info->name);
  known.insert(known.end(), families_.begin(), families_.end());
  return lint::nearest(name, known);
}

std::string_view KnownNames::missing_transport(std::string_view name) const {
  std::string_view best;
  for (std::string_view command : {"smtp", "pipe"}) {
    for (const config::Family& family : config::families_of_command(command)) {
      if (!name.ends_with(family.suffix) || name.size() == family.suffix.size()) continue;
      std::string_view transport = name.substr(0, name.size() - family.suffix.size());
      // The longest suffix counts: x_destination_recipient_limit is not of "x_destination".
      if (best.empty() || transport.size() < best.size()) best = transport;
    }
  }
  return best;
}

}  // namespace postrider::lint

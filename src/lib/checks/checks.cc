#include "checks/checks.h"

#include <fmt/format.h>

#include "clients/tables.h"

namespace postrider::checks {

Checks::Checks(table::Catalog& catalog, const config::Config& config, const Parameters& parameters,
               size_t body_limit, std::vector<std::string>& paths)
    : repertoire_(parameters.repertoire), body_limit_(body_limit) {
  constexpr table::Use kContent{.fold_fixed = false, .any_bytes = true};
  auto open = [&](config::Param<std::string> param) {
    return clients::open_maps(catalog, config, param, kContent, paths);
  };
  header_ = open(parameters.header);
  mime_header_ = open(parameters.mime_header);
  nested_header_ = open(parameters.nested_header);
  body_ = open(parameters.body);
}

const table::Maps& Checks::maps_for(mail::HeaderClass where, const mail::HeaderInfo* known) const {
  // Headers about MIME are of one kind wherever they stand.
  if (where == mail::HeaderClass::part || (known != nullptr && known->mime)) return mime_header_;
  return where == mail::HeaderClass::primary ? header_ : nested_header_;
}

Result<Action> Checks::header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text,
                              Deadline deadline) const {
  return look_up(maps_for(where, known), Place::header, text, deadline);
}

Result<Action> Checks::body(std::string_view text, size_t offset, Deadline deadline) const {
  if (body_limit_ != 0 && offset >= body_limit_) return Action();
  return look_up(body_, Place::body, text, deadline);
}

Result<Action> Checks::look_up(const table::Maps& maps, Place place, std::string_view text,
                               Deadline deadline) const {
  if (maps.empty()) return Action();
  auto found = maps.find(text, table::Where::all, deadline);
  if (!found) {
    return fail(found.error().kind, fmt::format("{} map lookup problem", maps.parameter()));
  }
  return *found ? parse_action((*found)->value, place, maps.parameter(), repertoire_) : Action();
}

}  // namespace postrider::checks

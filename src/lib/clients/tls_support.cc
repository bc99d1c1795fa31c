#include "clients/tls_support.h"

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/tls.h"

namespace postrider::clients {

ServerNames::ServerNames(const config::Config& config, table::Catalog& catalog,
                         std::vector<std::string>& paths)
    : maps_(open_maps(catalog, config, config::params::tls_server_sni_maps, {.values_are_files = true},
                      paths)) {}

Result<std::optional<std::string>> ServerNames::find(std::string_view name, Deadline deadline) const {
  std::string folded = lowercase(name);
  auto where = table::Where::all;
  for (std::string_view key = folded; !key.empty();) {
    auto found = TRY(maps_.find_file(key, where, deadline));
    if (found) return std::move(found->value);
    size_t dot = key.find('.', 1);
    if (dot == std::string_view::npos) break;
    key.remove_prefix(dot);
    where = table::Where::fixed_keys;
  }
  return std::nullopt;
}

}  // namespace postrider::clients

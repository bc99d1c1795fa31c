#include "smtpd/milters.h"

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/smtpd.h"

namespace postrider::smtpd {

namespace params = config::params;

Milters::Milters(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths)
    : settings_(config), maps_(clients::open_maps(catalog, config, params::smtpd_milter_maps, {}, paths)) {
  auto filters = milter::parse_filters(config.get(params::smtpd_milters), settings_.defaults);
  if (!filters) {
    throw config::ConfigError(filters.error().text, config.source("smtpd_milters"),
                              "a mail filter is inet:host:port, unix:path or { endpoint, option = value }");
  }
  filters_ = std::move(*filters);
}

Result<std::vector<milter::FilterSettings>> Milters::filters_for(std::string_view address,
                                                                 Deadline deadline) const {
  if (maps_.empty()) return filters_;
  auto found = TRY(maps_.find(address, table::Where::all, deadline));
  if (!found) return filters_;
  if (equals_ignore_case(trim(found->value), "DISABLE")) return std::vector<milter::FilterSettings>();
  return milter::parse_filters(found->value, settings_.defaults);
}

}  // namespace postrider::smtpd

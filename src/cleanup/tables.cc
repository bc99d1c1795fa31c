#include "cleanup/tables.h"

#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "config/params/milter.h"
#include "config/params/rewrite.h"

namespace postrider::cleanup {

namespace params = config::params;

Tables::Tables(const Settings& settings)
    : catalog(clients::table_options(settings.config)),
      masquerade_exceptions(clients::open_match_list(catalog, settings.config, params::masquerade_exceptions,
                                                     table::MatchList::Kind::text, paths)),
      local_domains(clients::open_local_domains(catalog, settings.config, paths)),
      checks(catalog, settings.config,
             {.header = params::header_checks,
              .mime_header = params::mime_header_checks,
              .nested_header = params::nested_header_checks,
              .body = params::body_checks,
              .repertoire = checks::Repertoire::messages},
             settings.body_check_limit, paths),
      milter_checks(catalog, settings.config,
                    {.header = params::milter_header_checks,
                     .mime_header = params::milter_header_checks,
                     .nested_header = params::milter_header_checks,
                     .body = params::milter_header_checks,
                     .repertoire = checks::Repertoire::messages},
                    0, paths) {
  auto open = [&](auto param, table::Maps& maps) {
    maps = clients::open_maps(catalog, settings.config, param, {}, paths);
  };
  open(params::canonical_maps, canonical);
  open(params::sender_canonical_maps, sender_canonical);
  open(params::recipient_canonical_maps, recipient_canonical);
  open(params::virtual_alias_maps, virtual_alias);
  open(params::sender_bcc_maps, sender_bcc);
  open(params::recipient_bcc_maps, recipient_bcc);
}

}  // namespace postrider::cleanup

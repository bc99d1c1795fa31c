// The lookup tables of the cleanup service, opened once per process.
#pragma once

#include <string>
#include <vector>

#include "checks/checks.h"
#include "cleanup/settings.h"
#include "rewrite/local_domains.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postrider::cleanup {

/// Throws ConfigError where a parameter has no good value.
struct Tables {
  explicit Tables(const Settings& settings);

  table::Catalog catalog;
  std::vector<std::string> paths;  ///< Everything that must stay reachable in the sandbox.
  table::Maps canonical, sender_canonical, recipient_canonical, virtual_alias;
  table::Maps sender_bcc, recipient_bcc;
  table::MatchList masquerade_exceptions;
  rewrite::LocalDomains local_domains;
  checks::Checks checks;
  checks::Checks milter_checks;  ///< For headers of mail filters.
};

}  // namespace postrider::cleanup

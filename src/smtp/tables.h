// The lookup tables of the client.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checks/checks.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "rewrite/local_domains.h"
#include "smtp/client.h"
#include "smtp/require_tls.h"
#include "smtp/settings.h"
#include "table/catalog.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postrider::smtp_client {

/// Opened once per process, before it loses sight of files.
struct Tables {
  Tables(const config::Config& config, const Settings& settings);

  table::Catalog catalog;
  std::vector<std::string> paths;       ///< What must stay reachable in the sandbox.
  table::MatchList cache_destinations;  ///< smtp_connection_cache_destinations
  table::MatchList debug_peers;         ///< debug_peer_list
  table::Maps ehlo_keywords;            ///< smtp_discard_ehlo_keyword_address_maps
  table::Maps pix_workarounds;          ///< smtp_pix_workaround_maps
  table::Maps generic;                  ///< smtp_generic_maps
  table::Maps sasl_passwords;           ///< smtp_sasl_password_maps, where it is used.
  table::MatchList sasl_mechanisms;     ///< smtp_sasl_mechanism_filter
  table::Maps tls_policies;             ///< smtp_tls_policy_maps
  table::Maps tls_sites;                ///< smtp_tls_per_site, where those are empty.
  RequireTlsRules require_tls;          ///< smtp_requiretls_policy
  table::Maps status_filter;            ///< smtp_delivery_status_filter
  checks::Checks checks;                ///< smtp_header_checks and its kin.
  /// Domains that are this system: generic maps may name addresses there by their local part.
  rewrite::LocalDomains local_domains;
  std::shared_ptr<smtp::ReplyRewriter> reply_filter;  ///< smtp_reply_filter, or null.
  std::shared_ptr<dns::ReplyFilter> dns_filter;       ///< smtp_dns_reply_filter, or null.
};

}  // namespace postrider::smtp_client

#include "smtp/tables.h"

#include "clients/dns_filter.h"
#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "config/params/lmtp.h"
#include "config/params/lmtp_tls.h"
#include "config/params/smtp.h"
#include "config/params/smtp_tls.h"
#include "config/params/system.h"

namespace postrider::smtp_client {

namespace params = config::params;

namespace {

/// Patterns are matched as they are written: replies and records are text, not names.
constexpr table::Use kTextKeys{.fold_fixed = false, .any_bytes = true};

class ReplyTable : public smtp::ReplyRewriter {
 public:
  explicit ReplyTable(table::Maps maps) : maps_(std::move(maps)) {}
  Result<std::optional<std::string>> rewrite(std::string_view line, Deadline deadline) override {
    auto found = TRY(maps_.find(line, table::Where::all, deadline));
    if (!found) return std::nullopt;
    return std::move(found->value);
  }

 private:
  table::Maps maps_;
};

checks::Checks::Parameters check_parameters(bool lmtp) {
  if (lmtp) {
    return {params::lmtp_header_checks, params::lmtp_mime_header_checks, params::lmtp_nested_header_checks,
            params::lmtp_body_checks, checks::Repertoire::lines};
  }
  return {params::smtp_header_checks, params::smtp_mime_header_checks, params::smtp_nested_header_checks,
          params::smtp_body_checks, checks::Repertoire::lines};
}

}  // namespace

Tables::Tables(const config::Config& config, const Settings& settings)
    : catalog(clients::table_options(config)),
      local_domains(clients::open_local_domains(catalog, config, paths)) {
  bool lmtp = settings.lmtp();
  auto open = [&](config::Param<std::string> smtp, config::Param<std::string> other, table::Use use = {}) {
    return clients::open_maps(catalog, config, lmtp ? other : smtp, use, paths);
  };
  cache_destinations = clients::open_match_list(
      catalog, config,
      lmtp ? params::lmtp_connection_cache_destinations : params::smtp_connection_cache_destinations,
      table::MatchList::Kind::text, paths);
  // At level 0 nothing more is logged; there is but one step above that.
  if (config.get(params::debug_peer_level) > 0) {
    debug_peers = clients::open_match_list(catalog, config, params::debug_peer_list,
                                           table::MatchList::Kind::host, paths);
  }
  ehlo_keywords =
      open(params::smtp_discard_ehlo_keyword_address_maps, params::lmtp_discard_lhlo_keyword_address_maps);
  pix_workarounds = open(params::smtp_pix_workaround_maps, params::lmtp_pix_workaround_maps);
  generic = open(params::smtp_generic_maps, params::lmtp_generic_maps);
  if (settings.sasl.enabled) {
    sasl_passwords = open(params::smtp_sasl_password_maps, params::lmtp_sasl_password_maps);
    sasl_mechanisms = clients::open_match_list(
        catalog, config, lmtp ? params::lmtp_sasl_mechanism_filter : params::smtp_sasl_mechanism_filter,
        table::MatchList::Kind::text, paths);
  }
  tls_policies = open(params::smtp_tls_policy_maps, params::lmtp_tls_policy_maps);
  if (tls_policies.empty()) tls_sites = open(params::smtp_tls_per_site, params::lmtp_tls_per_site);
  if (settings.tls.honour_require_tls) {
    require_tls = RequireTlsRules(
        catalog, config, lmtp ? params::lmtp_requiretls_policy : params::smtp_requiretls_policy, paths);
  }
  auto body_limit = static_cast<size_t>(config.get(params::body_checks_size_limit));
  checks = checks::Checks(catalog, config, check_parameters(lmtp), body_limit, paths);
  status_filter = open(params::smtp_delivery_status_filter, params::lmtp_delivery_status_filter, kTextKeys);
  table::Maps replies = open(params::smtp_reply_filter, params::lmtp_reply_filter, kTextKeys);
  if (!replies.empty()) reply_filter = std::make_shared<ReplyTable>(std::move(replies));
  table::Maps records = open(params::smtp_dns_reply_filter, params::lmtp_dns_reply_filter, kTextKeys);
  dns_filter = clients::dns_filter(std::move(records));
}

}  // namespace postrider::smtp_client

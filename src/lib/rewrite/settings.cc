#include "rewrite/settings.h"

#include <algorithm>

#include "base/text.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/params/system.h"
#include "config/params/verify.h"
#include "config/params/virtual.h"

namespace postrider::rewrite {

namespace params = config::params;
using config::Config;
using config::Param;
using table::MatchList;

namespace {

bool parents_match(const Config& config, std::string_view parameter) {
  const std::string list = config.get(params::parent_domain_matches_subdomains);
  const auto names = split_any(list, kListSeparators);
  return std::find(names.begin(), names.end(), parameter) != names.end();
}

Result<MatchList> open_list(const Config& config, table::Catalog& catalog, Param<std::string> param,
                            MatchList::Kind kind) {
  MatchList::Options options{.kind = kind, .parent_matches_subdomains = parents_match(config, param.name())};
  return MatchList::create(catalog, param.name(), config.get(param), options);
}

Setting setting(const Config& config, Param<std::string> param) {
  return {param.name(), config.get(param)};
}

/// The parameters of one purpose.
struct RouteParams {
  Param<std::string> local_transport, virtual_transport, relay_transport, default_transport, relayhost;
  Param<std::string> transport_maps, sender_default_transport_maps, sender_relayhost_maps;
};

constexpr RouteParams kDelivery{params::local_transport,
                                params::virtual_transport,
                                params::relay_transport,
                                params::default_transport,
                                params::relayhost,
                                params::transport_maps,
                                params::sender_dependent_default_transport_maps,
                                params::sender_dependent_relayhost_maps};
constexpr RouteParams kVerification{params::address_verify_local_transport,
                                    params::address_verify_virtual_transport,
                                    params::address_verify_relay_transport,
                                    params::address_verify_default_transport,
                                    params::address_verify_relayhost,
                                    params::address_verify_transport_maps,
                                    params::address_verify_sender_dependent_default_transport_maps,
                                    params::address_verify_sender_dependent_relayhost_maps};

}  // namespace

Settings read_settings(const Config& config) {
  return {.resolve_dequoted = config.get(params::resolve_dequoted_address),
          .resolve_null_domain = config.get(params::resolve_null_domain),
          .resolve_numeric_domain = config.get(params::resolve_numeric_domain),
          .allow_min_user = config.get(params::allow_min_user),
          .helpful_warnings = config.get(params::helpful_warnings),
          .show_unknown_table = config.get(params::show_user_unknown_table_name),
          .smtputf8 = config.get(params::smtputf8_enable),
          .relocated_prefix = config.get(params::relocated_prefix_enable),
          .transport_parents_plain = parents_match(config, "transport_maps"),
          .myhostname = config.get(params::myhostname),
          .main_cf = config.main_cf_path(),
          .empty_recipient = config.get(params::empty_address_recipient),
          .empty_sender_transport_key = config.get(params::empty_address_default_transport_maps_lookup_key),
          .empty_sender_relayhost_key = config.get(params::empty_address_relayhost_maps_lookup_key),
          .recipient_delimiter = config.get(params::recipient_delimiter),
          .double_bounce_sender = config.get(params::double_bounce_sender),
          .owner_request_special = config.get(params::owner_request_special)};
}

Result<Routes> open_routes(const Config& config, table::Catalog& catalog, Purpose purpose) {
  const RouteParams& p = purpose == Purpose::delivery ? kDelivery : kVerification;
  auto maps = [&](Param<std::string> param) {
    return table::Maps::create(catalog, param.name(), config.get(param), {.no_substitution = true});
  };
  return Routes{.local_transport = setting(config, p.local_transport),
                .virtual_transport = setting(config, p.virtual_transport),
                .relay_transport = setting(config, p.relay_transport),
                .default_transport = setting(config, p.default_transport),
                .relayhost = setting(config, p.relayhost),
                .transport = TRY(maps(p.transport_maps)),
                .sender_default_transport = TRY(maps(p.sender_default_transport_maps)),
                .sender_relayhost = TRY(maps(p.sender_relayhost_maps))};
}

Result<Domains> open_domains(const Config& config, table::Catalog& catalog) {
  return Domains{
      .virtual_alias = TRY(open_list(config, catalog, params::virtual_alias_domains, MatchList::Kind::text)),
      .virtual_mailbox =
          TRY(open_list(config, catalog, params::virtual_mailbox_domains, MatchList::Kind::text)),
      .relay = TRY(open_list(config, catalog, params::relay_domains, MatchList::Kind::domain))};
}

Result<MatchList> open_mydestination(const Config& config, table::Catalog& catalog) {
  return open_list(config, catalog, params::mydestination, MatchList::Kind::text);
}

std::vector<Param<std::string>> table_parameters() {
  std::vector<Param<std::string>> out{params::mydestination, params::virtual_alias_domains,
                                      params::virtual_mailbox_domains, params::relay_domains,
                                      params::relocated_maps};
  for (const RouteParams& p : {kDelivery, kVerification}) {
    out.insert(out.end(), {p.transport_maps, p.sender_default_transport_maps, p.sender_relayhost_maps});
  }
  return out;
}

}  // namespace postrider::rewrite

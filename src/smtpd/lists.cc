#include "smtpd/lists.h"

#include "clients/dns_filter.h"
#include "clients/tables.h"
#include "config/params/smtpd.h"
#include "config/params/smtpd_access.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "smtpd/client.h"

namespace postrider::smtpd {

namespace params = config::params;
using table::MatchList;

namespace {

/// Records are text, not names.
constexpr table::Use kTextKeys{.fold_fixed = false, .any_bytes = true};

}  // namespace

Lists::Lists(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths)
    : probe_sender(config) {
  auto maps = [&](auto param) { return clients::open_maps(catalog, config, param, {}, paths); };
  auto list = [&](auto param, MatchList::Kind kind) {
    return clients::open_match_list(catalog, config, param, kind, paths);
  };
  xclient = list(params::smtpd_authorized_xclient_hosts, MatchList::Kind::host);
  xforward = list(params::smtpd_authorized_xforward_hosts, MatchList::Kind::host);
  verp = list(params::smtpd_authorized_verp_clients, MatchList::Kind::host);
  bare_lf_exclusions = list(params::smtpd_forbid_bare_newline_exclusions, MatchList::Kind::host);
  event_exceptions = list(params::smtpd_client_event_limit_exceptions, MatchList::Kind::host);
  // At level 0, which is refused, nothing more would be logged; there is but one step above that.
  if (config.get(params::debug_peer_level) > 0) {
    debug_peers = list(params::debug_peer_list, MatchList::Kind::host);
  }
  sasl_exceptions = list(params::smtpd_sasl_exceptions_networks, MatchList::Kind::host);
  sasl_mechanisms = list(params::smtpd_sasl_mechanism_filter, MatchList::Kind::text);
  noop_commands = list(params::smtpd_noop_commands, MatchList::Kind::text);
  forbidden_commands = list(params::smtpd_forbidden_commands, MatchList::Kind::text);
  command_filter = maps(params::smtpd_command_filter);
  command_filter.allow_empty_values();  // A command of nothing, which is refused as such.
  ehlo_discard = maps(params::smtpd_discard_ehlo_keyword_address_maps);
  reject_filter = maps(params::smtpd_reject_filter_maps);
  reject_footer = maps(params::smtpd_reject_footer_maps);
  table::Maps records = clients::open_maps(catalog, config, params::smtpd_dns_reply_filter, kTextKeys, paths);
  dns_filter = clients::dns_filter(std::move(records));
}

Allowed allowed_by(const MatchList& list, const Client& client, Deadline deadline) {
  if (list.empty()) return Allowed::no;
  auto decision = list.match(client.names.name, client.address, deadline);
  if (decision) return decision->matched ? Allowed::yes : Allowed::no;
  return Allowed::unknown;  // The list has told the log why.
}

bool has_client(const MatchList& list, const Client& client, Deadline deadline) {
  return allowed_by(list, client, deadline) == Allowed::yes;
}

bool has_word(const MatchList& list, std::string_view word, Deadline deadline) {
  if (list.empty()) return false;
  auto decision = list.match(word, deadline);
  return decision && decision->matched;
}

}  // namespace postrider::smtpd

#include "access/policy.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/receive_overrides.h"
#include "clients/tables.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/smtpd.h"
#include "config/params/smtpd_access.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "config/params/virtual.h"
#include "log/log.h"
#include "mail/hostname.h"
#include "table/syntax.h"

namespace postrider::access {

namespace params = config::params;
using table::MatchList;

namespace {

TempFail parse_temp_fail(const std::string& word) {
  return word == "defer" ? TempFail::defer : TempFail::defer_if_permit;
}

bool lists_word(const std::string& list, std::string_view word) {
  auto words = split_any(list, kListSeparators);
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Whether a list can refuse to relay: what stands behind a "permit", or is a warning only, is worth nothing.
/// Classes may name each other without an end: `depth`.
bool controls_relaying(const RestrictionList& list, int depth = 0) {
  constexpr int kMaxDepth = 100;
  for (size_t i = 0; i < list.items.size(); ++i) {
    const Restriction& restriction = list.items[i];
    switch (restriction.action) {
      case Action::warn_if_reject:
        ++i;
        break;
      case Action::restriction_class:
        if (depth < kMaxDepth && controls_relaying(*restriction.members, depth + 1)) return true;
        break;
      case Action::reject_unauth_destination:
      case Action::defer_unauth_destination:
      case Action::reject:
      case Action::defer:
      case Action::defer_if_permit:
        return true;
      case Action::permit:
        return false;
      default:
        break;
    }
  }
  return false;
}

Policy::RewriteClients read_rewrite_clients(table::Catalog& catalog, const config::Config& config,
                                            std::vector<std::string>& paths) {
  Policy::RewriteClients out;
  std::string value = config.get(params::local_header_rewrite_clients);
  clients::add_required_paths(value, paths);
  std::string_view rest = value;
  while (auto word = table::next_item(rest)) {
    if (equals_ignore_case(*word, "permit_inet_interfaces")) {
      out.interfaces = true;
    } else if (equals_ignore_case(*word, "permit_mynetworks")) {
      out.networks = true;
    } else if (equals_ignore_case(*word, "permit_sasl_authenticated")) {
      out.logins = true;
    } else if (equals_ignore_case(*word, "permit_tls_clientcerts")) {
      out.certificates = true;
    } else if (equals_ignore_case(*word, "permit_tls_all_clientcerts")) {
      out.all_certificates = true;
    } else if (word->find(':') != std::string_view::npos) {
      auto maps = table::Maps::create(catalog, "local_header_rewrite_clients", *word, {});
      if (!maps)
        throw config::ConfigError(maps.error().text, config.source("local_header_rewrite_clients"),
                                  "correct the table");
      out.tables.push_back(std::move(*maps));
    } else if (!equals_ignore_case(*word, "check_address_map")) {
      log::warning("parameter local_header_rewrite_clients: invalid request: {}", *word);
    }
  }
  return out;
}

}  // namespace

Settings::Settings(const config::Config& c)
    : sasl(c.get(params::smtpd_sasl_auth_enable)),
      filtered(!c.get(params::smtpd_proxy_filter).empty()),
      asks_certificate(c.get(params::smtpd_tls_ask_ccert) || c.get(params::smtpd_tls_req_ccert)),
      delay_reject(c.get(params::smtpd_delay_reject)),
      soft_bounce(c.get(params::soft_bounce)),
      allow_untrusted_routing(c.get(params::allow_untrusted_routing)),
      show_table_names(c.get(params::show_user_unknown_table_name)),
      utf8(c.get(params::smtputf8_enable)),
      reject_unlisted_sender(c.get(params::smtpd_reject_unlisted_sender)),
      reject_unlisted_recipient(c.get(params::smtpd_reject_unlisted_recipient)),
      knows_addresses(clients::receive_overrides(c).recipient_checks),
      relay_before_recipient(c.get(params::smtpd_relay_before_recipient_restrictions)),
      null_key(c.get(params::smtpd_null_access_lookup_key)),
      myorigin(c.get(params::myorigin)),
      recipient_delimiter(c.get(params::recipient_delimiter)),
      double_bounce_sender(c.get(params::double_bounce_sender)),
      owner_request_special(c.get(params::owner_request_special)),
      parents_match_subdomains(
          lists_word(c.get(params::parent_domain_matches_subdomains), "smtpd_access_maps")),
      message_size_limit(c.get(params::message_size_limit)),
      default_rbl_reply(c.get(params::default_rbl_reply)),
      expansion_filter(unescaped(c.get(params::smtpd_expansion_filter))),
      stress(c.get(params::stress)),
      compatibility_level(c.get(params::compatibility_level)),
      mail_version(c.get(params::mail_version)),
      idna(c.get(params::enable_idna2003_compatibility) ? IdnaMapping::idna2003 : IdnaMapping::idna2008),
      unknown_address_tempfail(parse_temp_fail(c.get(params::unknown_address_tempfail_action))),
      unknown_helo_tempfail(parse_temp_fail(c.get(params::unknown_helo_hostname_tempfail_action))),
      unverified_sender{c.get(params::unverified_sender_reject_code),
                        c.get(params::unverified_sender_defer_code),
                        c.get(params::unverified_sender_reject_reason),
                        parse_temp_fail(c.get(params::unverified_sender_tempfail_action))},
      unverified_recipient{c.get(params::unverified_recipient_reject_code),
                           c.get(params::unverified_recipient_defer_code),
                           c.get(params::unverified_recipient_reject_reason),
                           parse_temp_fail(c.get(params::unverified_recipient_tempfail_action))},
      code{.access_reject = c.get(params::access_map_reject_code),
           .access_defer = c.get(params::access_map_defer_code),
           .reject = c.get(params::reject_code),
           .defer = c.get(params::defer_code),
           .invalid_hostname = c.get(params::invalid_hostname_reject_code),
           .non_fqdn = c.get(params::non_fqdn_reject_code),
           .unknown_client = c.get(params::unknown_client_reject_code),
           .unknown_hostname = c.get(params::unknown_hostname_reject_code),
           .unknown_address = c.get(params::unknown_address_reject_code),
           .relay = c.get(params::relay_domains_reject_code),
           .plaintext = c.get(params::plaintext_reject_code),
           .rbl = c.get(params::maps_rbl_reject_code),
           .multi_recipient_bounce = c.get(params::multi_recipient_bounce_reject_code),
           .unknown_local = c.get(params::unknown_local_recipient_reject_code),
           .unknown_relay = c.get(params::unknown_relay_recipient_reject_code),
           .unknown_alias = c.get(params::unknown_virtual_alias_reject_code),
           .unknown_mailbox = c.get(params::unknown_virtual_mailbox_reject_code)} {}

Policy::Policy(const config::Config& config, table::Catalog& catalog, std::vector<sys::Address> own)
    : settings(config),
      reader(catalog, config, paths),
      client(reader.read(params::smtpd_client_restrictions)),
      helo(reader.read(params::smtpd_helo_restrictions)),
      sender(reader.read(params::smtpd_sender_restrictions)),
      relay(reader.read(params::smtpd_relay_restrictions)),
      recipient(reader.read(params::smtpd_recipient_restrictions)),
      data(reader.read(params::smtpd_data_restrictions)),
      end_of_data(reader.read(params::smtpd_end_of_data_restrictions)),
      etrn(reader.read(params::smtpd_etrn_restrictions)),
      own_addresses(std::move(own)) {
  auto maps = [&](auto param) { return clients::open_maps(catalog, config, param, {}, paths); };
  auto list = [&](auto param, MatchList::Kind kind) {
    return clients::open_match_list(catalog, config, param, kind, paths);
  };
  recipients.canonical = maps(params::canonical_maps);
  recipients.sender_canonical = maps(params::sender_canonical_maps);
  recipients.recipient_canonical = maps(params::recipient_canonical_maps);
  recipients.virtual_alias = maps(params::virtual_alias_maps);
  recipients.local = maps(params::local_recipient_maps);
  recipients.virtual_mailbox = maps(params::virtual_mailbox_maps);
  recipients.relay = maps(params::relay_recipient_maps);
  mynetworks = list(params::mynetworks, MatchList::Kind::host);
  mydestination = list(params::mydestination, MatchList::Kind::domain);
  rbl_replies = maps(params::rbl_reply_maps);
  sender_logins = maps(params::smtpd_sender_login_maps);
  relay_certificates = maps(params::relay_clientcerts);
  mx_backup_networks = list(params::permit_mx_backup_networks, MatchList::Kind::address);
  logged_permits = list(params::smtpd_log_access_permit_actions, MatchList::Kind::text);
  rewrite_clients = read_rewrite_clients(catalog, config, paths);
  reader.configuration_is_complete();
}

mail::DelimiterRules Policy::delimiters() const {
  return {.delimiters = settings.recipient_delimiter,
          .owner_request_special = settings.owner_request_special,
          .double_bounce_sender = settings.double_bounce_sender};
}

bool Policy::is_own_address(std::string_view ip) const {
  auto address = sys::Address::from_ip(ip);
  if (!address) return false;
  auto same = [&](const sys::Address& own) { return std::ranges::equal(own.bytes(), address->bytes()); };
  return std::any_of(own_addresses.begin(), own_addresses.end(), same);
}

Result<bool> Policy::is_local_domain(std::string_view domain, Deadline deadline) const {
  if (domain.starts_with('[') && domain.ends_with(']')) {
    auto address = mail::mailhost_address(domain.substr(1, domain.size() - 2));
    return address && is_own_address(*address);
  }
  return TRY(mydestination.match(domain, deadline)).matched;
}

void Policy::require_relay_control() const {
  if (controls_relaying(relay) || controls_relaying(recipient)) return;
  throw config::ConfigError(
      "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working "
      "instance "
      "of: reject_unauth_destination, defer_unauth_destination, reject, defer or defer_if_permit",
      {}, "without one of them anybody could send mail anywhere through this system");
}

}  // namespace postrider::access

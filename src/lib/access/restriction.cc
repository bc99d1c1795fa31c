#include "access/restriction.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/smtpd_access.h"
#include "table/syntax.h"

namespace postrider::access {

namespace params = config::params;

namespace {

enum class Argument : unsigned char { none, table, number, domain, service };

struct Word {
  std::string_view name;
  Action action;
  Subject subject = Subject::none;
  Via via = Via::itself;
  Argument argument = Argument::none;
  std::string_view advice = {};
};

constexpr Word kGeneral[] = {
    {"permit", Action::permit},
    {"reject", Action::reject},
    {"defer", Action::defer},
    {"warn_if_reject", Action::warn_if_reject},
    {"defer_if_permit", Action::defer_if_permit},
    {"defer_if_reject", Action::defer_if_reject},
    {"sleep", Action::sleep, Subject::none, Via::itself, Argument::number},
    {"reject_unauth_pipelining", Action::reject_unauth_pipelining},
    {"reject_plaintext_session", Action::reject_plaintext_session},
    {"permit_mynetworks", Action::permit_mynetworks},
    {"permit_inet_interfaces", Action::permit_inet_interfaces},
    {"permit_sasl_authenticated", Action::permit_by_login, Subject::login},
    {"permit_tls_clientcerts", Action::permit_by_login, Subject::certificate},
    {"permit_tls_all_clientcerts", Action::permit_by_login, Subject::certificate},
    {"permit_auth_destination", Action::permit_auth_destination, Subject::recipient},
    {"reject_unauth_destination", Action::reject_unauth_destination, Subject::recipient},
    {"defer_unauth_destination", Action::defer_unauth_destination, Subject::recipient},
    {"reject_unknown_client_hostname", Action::reject_unknown_client},
    {"reject_unknown_client", Action::reject_unknown_client},
    {"reject_unknown_reverse_client_hostname", Action::reject_unknown_reverse_client},
    {"reject_invalid_helo_hostname", Action::reject_invalid_helo, Subject::helo},
    {"reject_invalid_hostname", Action::reject_invalid_helo, Subject::helo},
    {"reject_non_fqdn_helo_hostname", Action::reject_non_fqdn_helo, Subject::helo},
    {"reject_non_fqdn_hostname", Action::reject_non_fqdn_helo, Subject::helo},
    {"reject_unknown_helo_hostname", Action::reject_unknown_helo, Subject::helo},
    {"reject_unknown_hostname", Action::reject_unknown_helo, Subject::helo},
    {"reject_non_fqdn_sender", Action::reject_non_fqdn_address, Subject::sender},
    {"reject_non_fqdn_recipient", Action::reject_non_fqdn_address, Subject::recipient},
    {"reject_unknown_sender_domain", Action::reject_unknown_domain, Subject::sender},
    {"reject_unknown_address", Action::reject_unknown_domain, Subject::sender},
    {"reject_unknown_recipient_domain", Action::reject_unknown_domain, Subject::recipient},
    {"reject_unlisted_sender", Action::reject_unlisted, Subject::sender},
    {"reject_unlisted_recipient", Action::reject_unlisted, Subject::recipient},
    {"check_recipient_maps", Action::reject_unlisted, Subject::recipient},
    {"reject_multi_recipient_bounce", Action::reject_multi_recipient_bounce},
    {"reject_sender_login_mismatch", Action::sender_login, Subject::sender},
    {"reject_authenticated_sender_login_mismatch", Action::sender_login, Subject::sender},
    {"reject_unauthenticated_sender_login_mismatch", Action::sender_login, Subject::sender},
    {"reject_known_sender_login_mismatch", Action::sender_login, Subject::sender},
};

constexpr Word access_table(std::string_view name, Subject subject, Via via = Via::itself) {
  return {name, Action::check_access, subject, via, Argument::table};
}

constexpr Word kTables[] = {
    access_table("check_client_access", Subject::client),
    access_table("check_client_ns_access", Subject::client, Via::name_servers),
    access_table("check_client_mx_access", Subject::client, Via::mail_exchangers),
    access_table("check_client_a_access", Subject::client, Via::addresses),
    access_table("check_reverse_client_hostname_access", Subject::reverse_client),
    access_table("check_reverse_client_hostname_ns_access", Subject::reverse_client, Via::name_servers),
    access_table("check_reverse_client_hostname_mx_access", Subject::reverse_client, Via::mail_exchangers),
    access_table("check_reverse_client_hostname_a_access", Subject::reverse_client, Via::addresses),
    access_table("check_helo_access", Subject::helo),
    access_table("check_helo_ns_access", Subject::helo, Via::name_servers),
    access_table("check_helo_mx_access", Subject::helo, Via::mail_exchangers),
    access_table("check_helo_a_access", Subject::helo, Via::addresses),
    access_table("check_sender_access", Subject::sender),
    access_table("check_sender_ns_access", Subject::sender, Via::name_servers),
    access_table("check_sender_mx_access", Subject::sender, Via::mail_exchangers),
    access_table("check_sender_a_access", Subject::sender, Via::addresses),
    access_table("check_recipient_access", Subject::recipient),
    access_table("check_recipient_ns_access", Subject::recipient, Via::name_servers),
    access_table("check_recipient_mx_access", Subject::recipient, Via::mail_exchangers),
    access_table("check_recipient_a_access", Subject::recipient, Via::addresses),
    access_table("check_etrn_access", Subject::etrn),
    access_table("check_sasl_access", Subject::login),
    access_table("check_ccert_access", Subject::certificate),
};

constexpr Word unavailable(std::string_view name, Argument argument = Argument::none) {
  return {name, Action::unavailable, Subject::none, Via::itself, argument};
}

constexpr Word kOthers[] = {
    unavailable("check_policy_service", Argument::service),
    unavailable("reject_rbl_client", Argument::domain),
    unavailable("reject_rhsbl_client", Argument::domain),
    unavailable("reject_rhsbl_reverse_client", Argument::domain),
    unavailable("reject_rhsbl_helo", Argument::domain),
    unavailable("reject_rhsbl_sender", Argument::domain),
    unavailable("reject_rhsbl_recipient", Argument::domain),
    unavailable("permit_dnswl_client", Argument::domain),
    unavailable("permit_rhswl_client", Argument::domain),
    unavailable("permit_mx_backup"),
    unavailable("reject_unverified_sender"),
    unavailable("reject_unverified_address"),
    unavailable("reject_unverified_recipient"),
    {"permit_naked_ip_address", Action::removed, Subject::none, Via::itself, Argument::none,
     "permit_mynetworks"},
    {"reject_maps_rbl", Action::removed, Subject::none, Via::itself, Argument::none,
     "reject_rbl_client domain-name"},
    {"check_relay_domains", Action::removed, Subject::none, Via::itself, Argument::none,
     "permit_mynetworks, reject_unauth_destination"},
};

const Word* find_word(std::string_view name) {
  auto find = [&](auto& words) -> const Word* {
    for (const Word& word : words) {
      if (equals_ignore_case(word.name, name)) return &word;
    }
    return nullptr;
  };
  if (const Word* word = find(kGeneral)) return word;
  if (const Word* word = find(kTables)) return word;
  return find(kOthers);
}

/// A client is held up for so many seconds at most: it will not wait longer.
constexpr int64_t kMaxPause = 3600;

bool is_table(std::string_view word) { return word.find(':') != std::string_view::npos; }

}  // namespace

RestrictionReader::RestrictionReader(table::Catalog& catalog, const config::Config& config,
                                     std::vector<std::string>& paths)
    : catalog_(catalog), config_(config), paths_(&paths) {
  std::string names = config.get(params::smtpd_restriction_classes);
  // Classes may name each other, so all names are known before any list is read.
  std::vector<std::string_view> words = split_any(names, kListSeparators);
  for (std::string_view name : words) classes_.emplace(name, std::make_unique<RestrictionList>());
  for (auto& [name, list] : classes_) {
    auto value = config.value(name);
    if (!value) throw config::ConfigError(value.error().text, config.source(name), "correct the value");
    if (!*value || (*value)->empty()) {
      throw config::ConfigError(fmt::format("restriction class `{}' needs a definition", name),
                                config.source("smtpd_restriction_classes"),
                                fmt::format("set {} to a list of restrictions", name));
    }
    *list = read_text(**value);
    list->parameter = name;
    list->source = config.source(name).text();
    clients::add_required_paths(**value, paths);
  }
}

RestrictionList RestrictionReader::read(config::Param<std::string> param) {
  std::string value = config_.get(param);
  RestrictionList out = read_text(value);
  out.parameter = param.name();
  out.source = config_.source(param.name()).text();
  clients::add_required_paths(value, *paths_);
  return out;
}

RestrictionList RestrictionReader::read_text(std::string_view text) const {
  RestrictionList out;
  std::string_view rest = text;
  while (auto word = table::next_item(rest)) out.items.push_back(read_one(*word, rest));
  return out;
}

Restriction RestrictionReader::read_one(std::string_view word, std::string_view& rest) const {
  Restriction out;
  out.name = word;
  if (is_table(word)) {
    out.action = Action::bare_table;
    out.argument = word;
    open_table(out, word);
  } else if (const Word* known = find_word(word)) {
    out.action = known->action;
    out.subject = known->subject;
    out.via = known->via;
    out.name = known->name;
    out.advice = known->advice;
    if (known->argument != Argument::none) read_argument(out, rest);
  } else if (auto found = classes_.find(word); found != classes_.end()) {
    out.action = Action::restriction_class;
    out.members = found->second.get();
  }
  return out;
}

void RestrictionReader::open_table(Restriction& out, std::string_view spec) const {
  auto maps = table::Maps::create(catalog_, out.name, spec, {});
  if (maps) {
    out.table = std::move(*maps);
  } else {
    out.action = Action::misused;
    out.problem = maps.error().text;
  }
}

void RestrictionReader::read_argument(Restriction& out, std::string_view& rest) const {
  auto word = table::next_item(rest);
  auto misused = [&](std::string problem) {
    out.action = Action::misused;
    out.problem = std::move(problem);
  };
  if (word) out.argument = *word;
  if (out.action == Action::sleep) {
    if (!is_all_digits(out.argument)) return misused("restriction sleep must be followed by number");
    out.pause = seconds(std::min(parse_int(out.argument).value_or(kMaxPause), kMaxPause));
  } else if (out.action == Action::check_access) {
    if (is_table(out.argument)) return open_table(out, out.argument);
    misused(fmt::format("restriction {}: bad argument \"{}\": need maptype:mapname", out.name,
                        word ? printable(*word) : out.name));
  } else if (!word) {
    misused(fmt::format("restriction {} requires an argument", out.name));
  }
}

}  // namespace postrider::access

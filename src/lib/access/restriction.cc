#include "access/restriction.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/smtpd_access.h"
#include "log/log.h"
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

constexpr Word dns_list(std::string_view name, Subject subject, Action action = Action::reject_listed) {
  return {name, action, subject, Via::itself, Argument::domain};
}

constexpr Word kOthers[] = {
    {"check_policy_service", Action::policy_service, Subject::none, Via::itself, Argument::service},
    dns_list("reject_rbl_client", Subject::none),
    dns_list("reject_rbl", Subject::none),
    dns_list("reject_rhsbl_client", Subject::client),
    dns_list("reject_rhsbl_reverse_client", Subject::reverse_client),
    dns_list("reject_rhsbl_helo", Subject::helo),
    dns_list("reject_rhsbl_sender", Subject::sender),
    dns_list("reject_rhsbl_recipient", Subject::recipient),
    dns_list("permit_dnswl_client", Subject::none, Action::permit_listed),
    dns_list("permit_rhswl_client", Subject::client, Action::permit_listed),
    {"permit_mx_backup", Action::permit_mx_backup, Subject::recipient},
    {"reject_unverified_sender", Action::reject_unverified, Subject::sender},
    {"reject_unverified_address", Action::reject_unverified, Subject::sender},
    {"reject_unverified_recipient", Action::reject_unverified, Subject::recipient},
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

bool is_table(std::string_view word) {
  return word.find(':') != std::string_view::npos;
}

}  // namespace

std::vector<std::string_view> restriction_names() {
  std::vector<std::string_view> out;
  auto add = [&](auto& words) {
    for (const Word& word : words)
      out.push_back(word.name);
  };
  add(kGeneral);
  add(kTables);
  add(kOthers);
  return out;
}

RestrictionReader::RestrictionReader(table::Catalog& catalog, const config::Config& config,
                                     std::vector<std::string>& paths)
    : catalog_(catalog), config_(config), paths_(&paths), service_defaults_(config) {
  std::string names = config.get(params::smtpd_restriction_classes);
  // Classes may name each other, so all names are known before any list is read.
  std::vector<std::string_view> words = split_any(names, kListSeparators);
  for (std::string_view name : words)
    classes_.emplace(name, std::make_unique<RestrictionList>());
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
  while (auto word = table::next_item(rest))
    out.items.push_back(read_one(*word, rest));
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
  } else if (out.subject == Subject::certificate) {
    return read_certificate_table(out);
  } else if (out.action == Action::check_access) {
    if (is_table(out.argument)) return open_table(out, out.argument);
    misused(fmt::format("restriction {}: bad argument \"{}\": need maptype:mapname", out.name,
                        word ? printable(*word) : out.name));
  } else if (out.action == Action::policy_service) {
    if (auto done = read_service(out); !done) misused(done.error().text);
  } else if (!word) {
    out.action = Action::ignored;
    out.problem = fmt::format("restriction {} requires domain name argument", out.name);
  } else if (auto done = read_list_name(out); !done) {
    misused(done.error().text);
  }
}

/// "type:name" or "{ type:name, { search_order = pubkey_fingerprint, cert_fingerprint } }".
void RestrictionReader::read_certificate_table(Restriction& out) const {
  out.search_order = {CertificateKey::certificate, CertificateKey::key};
  std::string_view rest = out.argument;
  auto misused = [&](const std::string& warning) {
    log::warning("{}", warning);
    out.action = Action::misused;
    out.problem = fmt::format("See earlier parsing error messages for '{}", out.argument);
  };
  bool braces = rest.starts_with('{') && rest.ends_with('}');
  if (braces) rest = rest.substr(1, rest.size() - 2);
  auto spec = table::next_item(rest);
  if (!spec || !is_table(*spec)) {
    out.action = Action::misused;
    out.problem = fmt::format("restriction {}: bad argument \"{}\": need maptype:mapname", out.name,
                              out.argument.empty() ? out.name : printable(out.argument));
    return;
  }
  open_table(out, *spec);
  while (auto attribute = table::next_item(rest)) {
    std::string_view text = *attribute;
    if (text.starts_with('{') && text.ends_with('}')) text = trim(text.substr(1, text.size() - 2));
    size_t equals = text.find('=');
    if (equals == std::string_view::npos || *attribute == text) {
      return misused(
          fmt::format("malformed map attribute in '{}': 'missing '=' after attribute name'", out.argument));
    }
    if (trim(text.substr(0, equals)) != "search_order") {
      return misused(
          fmt::format("unknown map attribute in '{}': '{}'", out.argument, trim(text.substr(0, equals))));
    }
    out.search_order.clear();
    for (std::string_view word : split_any(text.substr(equals + 1), kListSeparators)) {
      if (word == "cert_fingerprint") {
        out.search_order.push_back(CertificateKey::certificate);
      } else if (word == "pubkey_fingerprint") {
        out.search_order.push_back(CertificateKey::key);
      } else {
        return misused(fmt::format("unknown search type '{}' in '{}'", word, out.argument));
      }
    }
  }
}

/// "domain" or "domain=pattern".
Result<void> RestrictionReader::read_list_name(Restriction& out) const {
  size_t equals = out.argument.find('=');
  out.domain = out.argument.substr(0, equals);
  if (equals == std::string::npos) return {};
  auto pattern = dns::Ipv4Pattern::parse(std::string_view(out.argument).substr(equals + 1));
  if (!pattern) pattern.error().text.insert(0, "RBL reply error: ");
  if (!pattern && strict_)
    throw config::ConfigError(pattern.error().text, {}, "correct the pattern behind \"=\"");
  out.pattern = TRY(std::move(pattern));
  return {};
}

Result<void> RestrictionReader::read_service(Restriction& out) const {
  auto known = services_.find(out.argument);
  if (known == services_.end()) {
    auto settings = policy::parse_service(out.argument, service_defaults_);
    if (!settings && strict_) {
      throw config::ConfigError(settings.error().text, {},
                                "give check_policy_service inet:host:port or unix:path");
    }
    auto service = std::make_shared<policy::Service>(TRY(std::move(settings)));
    known = services_.emplace(out.argument, std::move(service)).first;
  }
  out.service = known->second;
  // What log lines call it, unless it is written with options.
  if (!out.argument.starts_with('{')) out.argument = out.service->settings().endpoint;
  return {};
}

}  // namespace postrider::access

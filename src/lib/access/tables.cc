// What access tables are asked for (access(5)).
#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "base/casefold.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"

namespace postrider::access {

namespace {

constexpr std::string_view kUnknown = "unknown";
constexpr std::string_view kBrokenTable = "451 4.3.5 Server configuration error";
/// More servers of one domain are not looked at.
constexpr size_t kMaxServers = 100;

dns::Type record_type(Via via) {
  switch (via) {
    case Via::name_servers:
      return dns::Type::ns;
    case Via::mail_exchangers:
      return dns::Type::mx;
    default:
      return dns::Type::a;
  }
}

std::string_view after_at(std::string_view address) {
  return address.substr(address.rfind('@') + 1);
}

}  // namespace

Judge::Verdict Judge::check_access(const Restriction& r, Subject subject, const Target& target) {
  if (r.via == Via::itself) return check_itself(r, subject, target);
  switch (subject) {
    case Subject::client:
      if (facts_.client_name == kUnknown) return Verdict::undecided;
      return check_servers(r, facts_.client_name, {facts_.client, about::kClient, target.default_subject});
    case Subject::reverse_client:
      if (facts_.reverse_name == kUnknown) return Verdict::undecided;
      return check_servers(r, facts_.reverse_name,
                           {facts_.reverse_name, about::kReverseClient, target.default_subject});
    case Subject::helo:
      if (!facts_.helo_name) return Verdict::undecided;
      return check_servers(r, *facts_.helo_name, {*facts_.helo_name, about::kHelo, target.default_subject});
    case Subject::sender:
      if (!facts_.sender || facts_.sender->empty()) return Verdict::undecided;
      return check_servers(r, *facts_.sender, {*facts_.sender, about::kSender, target.default_subject});
    case Subject::recipient:
      if (!facts_.recipient || facts_.recipient->empty()) return Verdict::undecided;
      return check_servers(r, *facts_.recipient,
                           {*facts_.recipient, about::kRecipient, target.default_subject});
    default:
      return Verdict::undecided;
  }
}

Judge::Verdict Judge::check_itself(const Restriction& r, Subject subject, const Target& outer) {
  const Subject by_default = outer.default_subject;
  auto client_table = [&](std::string_view name, const Target& target, bool verified) {
    auto hit = find_domain(r.table, name);
    if (hit && !*hit) hit = find_address(r.table, facts_.client_address);
    return found(r, std::move(hit), target, verified ? std::string() : forbids_permit(r, name));
  };
  switch (subject) {
    case Subject::client:
      return client_table(facts_.client_name, {facts_.client, about::kClient, by_default}, true);
    case Subject::reverse_client:
      return client_table(facts_.reverse_name, {facts_.reverse_name, about::kReverseClient, by_default},
                          false);
    case Subject::helo:
      if (!facts_.helo_name) return Verdict::undecided;
      return found(r, find_domain(r.table, *facts_.helo_name), {*facts_.helo_name, about::kHelo, by_default});
    case Subject::sender:
      if (!facts_.sender) return Verdict::undecided;
      if (facts_.sender->empty()) {
        return found(r, find_key(r.table, policy_.settings.null_key), {sender(), about::kSender, by_default});
      }
      return check_mail(r, sender(), {sender(), about::kSender, by_default});
    case Subject::recipient:
      if (!facts_.recipient || facts_.recipient->empty()) return Verdict::undecided;
      return check_mail(r, *facts_.recipient, {*facts_.recipient, about::kRecipient, by_default});
    case Subject::etrn:
      if (etrn_domain_.empty()) return Verdict::undecided;
      return found(r, find_domain(r.table, etrn_domain_), {etrn_domain_, about::kEtrn, by_default});
    case Subject::login:
      if (!knows_logins(r.name) || facts_.sasl_username.empty()) return Verdict::undecided;
      return found(r, find_key(r.table, facts_.sasl_username),
                   {facts_.sasl_username, about::kLogin, by_default});
    case Subject::certificate:
      return check_certificate(r, outer);
    case Subject::none:
      break;
  }
  return Verdict::undecided;
}

// --- keys ---

Judge::Found Judge::find_key(const table::Maps& maps, std::string_view key) const {
  for (const auto& table : maps.tables()) {
    auto value = table->lookup(key, deadline_);
    if (!value) {
      log::warning("{} lookup error for \"{}\"", table->spec(), printable(key));
      return std::unexpected(std::move(value).error());
    }
    if (*value) return Hit{std::move(**value), std::string(key)};
  }
  return std::nullopt;
}

Judge::Found Judge::find_domain(const table::Maps& maps, std::string_view domain) const {
  std::string folded = policy_.settings.utf8 ? casefold(domain) : lowercase(domain);
  bool patterns = !maps.tables().empty() && maps.tables().front()->matches_patterns();
  for (std::string_view name = folded; !name.empty();) {
    auto hit = TRY(find_key(maps, name));
    if (hit) return hit;
    size_t dot = name.find('.', name[0] == '.' ? 1 : 0);
    if (patterns || dot == std::string_view::npos) break;
    name.remove_prefix(policy_.settings.parents_match_subdomains ? dot + 1 : dot);
  }
  return std::nullopt;
}

Judge::Found Judge::find_address(const table::Maps& maps, std::string_view ip) const {
  bool patterns = !maps.tables().empty() && maps.tables().front()->matches_patterns();
  char separator = ip.find(':') != std::string_view::npos ? ':' : '.';
  for (std::string_view network = ip;;) {
    auto hit = TRY(find_key(maps, network));
    size_t last = network.rfind(separator);
    if (hit || patterns || last == std::string_view::npos || last == 0) return hit;
    network = network.substr(0, last);
  }
}

Judge::Verdict Judge::check_mail(const Restriction& r, std::string_view address, const Target& target) {
  auto reply = resolve(sender(), address);
  if (!reply) return lookup_failure(address);
  table::AddressSearch search{.localpart_if_local = false,
                              .at_domain = false,
                              .domain = true,
                              .parents = policy_.settings.parents_match_subdomains
                                             ? table::AddressSearch::Parents::plain
                                             : table::AddressSearch::Parents::with_dot,
                              .localpart_at = true};
  auto match = find(r.table, reply->recipient, search);
  // Nobody gets past further checks because of an address that leads to another one.
  bool suspicious = target.about == about::kRecipient && !policy_.settings.allow_untrusted_routing &&
                    (reply->flags & proto::kResolveRouted) != 0;
  Found hit = std::nullopt;
  if (!match) {
    hit = std::unexpected(std::move(match).error());
  } else if (*match) {
    hit = Hit{std::move((*match)->value), std::move((*match)->origin.key)};
  }
  return found(r, std::move(hit), target, std::string(suspicious ? kSilently : ""));
}

Judge::Verdict Judge::found(const Restriction& r, Found hit, const Target& target,
                            std::string cannot_permit) {
  if (!hit) return act(r, Hit{std::string(kBrokenTable), ""}, target, std::move(cannot_permit));
  if (!*hit) return Verdict::undecided;
  return act(r, **hit, target, std::move(cannot_permit));
}

std::string Judge::forbids_permit(const Restriction& r, std::string_view name) const {
  return fmt::format("restriction {} returns OK for {}", r.name, printable(name));
}

/// What a client says about itself, and what its domain's servers are, is no reason to let it in.
Judge::Verdict Judge::permit_does_not_count(std::string_view cannot_permit) {
  if (cannot_permit == kSilently) return Verdict::undecided;
  if (memory_.effects.discard) return Verdict::permit;  // It is not let in, after all.
  log::warning("{}", cannot_permit);
  log::warning("this is not allowed for security reasons");
  log::warning("use DUNNO instead of OK if you want to make an exception");
  return configuration_error();
}

// --- servers of a domain ---

Judge::Verdict Judge::check_servers(const Restriction& r, std::string_view name, const Target& target) {
  std::string_view domain = after_at(name);
  if (domain.starts_with('[')) {
    // An address is its own mail server; name servers it has none.
    if (!domain.ends_with(']') || record_type(r.via) == dns::Type::ns) return Verdict::undecided;
    auto ip = mail::mailhost_address(domain.substr(1, domain.size() - 2));
    if (!ip) return Verdict::undecided;
    return found(r, find_address(r.table, *ip), target, forbids_permit(r, name));
  }
  dns::Type type = record_type(r.via);
  if (type == dns::Type::a) return check_hosts(r, {std::string(domain)}, type, target);
  auto hosts = servers_of(name, type);
  if (!hosts) return Verdict::undecided;
  for (const std::string& host : *hosts) {
    auto hit = find_domain(r.table, host);
    if (!hit || *hit) return found(r, std::move(hit), target, forbids_permit(r, name));
  }
  return check_hosts(r, *hosts, type, target);
}

std::optional<std::vector<std::string>> Judge::servers_of(std::string_view name, dns::Type type) {
  std::string_view domain = after_at(name);
  dns::Answer answer = world_.lookup(domain, {&type, 1}, deadline_);
  if (answer.status == dns::Status::not_found && type == dns::Type::mx) {
    // Mail goes to the host itself then.
    return std::vector<std::string>{std::string(domain)};
  }
  // The name servers of a host are those of the zone that it is in.
  while (answer.status == dns::Status::not_found && type == dns::Type::ns) {
    size_t dot = domain.find('.');
    if (dot == std::string_view::npos || dot + 1 == domain.size()) {
      domain = {};
      break;
    }
    domain.remove_prefix(dot + 1);
    answer = world_.lookup(domain, {&type, 1}, deadline_);
  }
  if (answer.status == dns::Status::null_service) return std::nullopt;  // Mail goes nowhere (RFC 7505).
  if (!answer.found()) {
    std::string_view why = answer.status == dns::Status::try_again ? "Host not found, try again"
                           : answer.no_such_name                   ? "Host not found"
                                                 : "Host found but no data record of requested type";
    log::warning("Unable to look up {} host for {}: {}", dns::type_name(type),
                 printable(domain.size() > 1 ? domain : name), why);
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const dns::Record& record : answer.records) {
    if (record.type == type && out.size() < kMaxServers) out.push_back(record.data);
  }
  return out;
}

Judge::Verdict Judge::check_hosts(const Restriction& r, const std::vector<std::string>& hosts, dns::Type type,
                                  const Target& target) {
  for (const std::string& host : hosts) {
    sys::HostAnswer answer = world_.addresses(host, deadline_);
    if (!answer.found()) {
      if (type == dns::Type::a) continue;
      log::warning("Unable to look up {} host {} for {} {}: {}", dns::type_name(type), printable(host),
                   target.about, printable(target.name), answer.text);
      continue;
    }
    for (const sys::Address& address : answer.addresses) {
      auto hit = find_address(r.table, address.ip());
      if (!hit || *hit) return found(r, std::move(hit), target, forbids_permit(r, target.name));
    }
  }
  return Verdict::undecided;
}

}  // namespace postrider::access

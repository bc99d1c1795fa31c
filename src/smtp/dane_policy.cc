#include "smtp/dane_policy.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtp/ledger.h"

namespace postrider::smtp_client {

namespace {

using tls::Level;

/// The records of one name; those that were not validated are none.
TlsaAnswer ask(dns::Resolver& resolver, std::string_view base, uint16_t port, Deadline deadline) {
  TlsaAnswer out;
  out.base_domain = base;
  std::string name = fmt::format("_{}._tcp.{}", port, base);
  dns::Answer answer = resolver.lookup(name, dns::Type::tlsa, {.dnssec = true}, deadline);
  switch (answer.status) {
    case dns::Status::found:
      for (const dns::Record& record : answer.records) {
        auto tlsa = record.validated ? tls::parse_tlsa(record.data) : std::nullopt;
        if (tlsa) out.records.push_back(std::move(*tlsa));
      }
      if (!out.records.empty()) out.state = TlsaAnswer::State::found;
      break;
    case dns::Status::not_found:
      break;
    default:
      // Somebody in between may not want the records to be seen.
      log::warning("DANE TLSA lookup problem: {}", answer.text);
      out.state = TlsaAnswer::State::unknown;
  }
  return out;
}

/// Whether the name is an alias for certain, wherever that leads.
std::expected<bool, TlsaAnswer> is_secure_alias(dns::Resolver& resolver, const std::string& name,
                                                Deadline deadline) {
  dns::Answer answer = resolver.lookup(name, dns::Type::cname, {.dnssec = true}, deadline);
  if (answer.status == dns::Status::found) return answer.records.front().validated;
  if (answer.status == dns::Status::not_found) return false;
  log::warning("DNSSEC status lookup error for {}: {}", name, answer.text);
  TlsaAnswer unknown;
  unknown.state = TlsaAnswer::State::unknown;
  return std::unexpected(std::move(unknown));
}

mail::DeliveryStatus misconfigured() {
  return local_failure("4.7.5", "client TLS configuration problem");
}

}  // namespace

TlsaAnswer find_tlsa(dns::Resolver& resolver, const TlsHost& host, bool insecure_hosts, Deadline deadline) {
  bool alias = !equals_ignore_case(host.name, host.canonical);
  if (host.validated) {
    // RFC 7672 section 2.2.2: where the aliases lead to, then where they begin.
    TlsaAnswer answer = ask(resolver, host.canonical, host.port, deadline);
    if (answer.state != TlsaAnswer::State::none || !alias) return answer;
    return ask(resolver, host.name, host.port, deadline);
  }
  bool worth_asking = insecure_hosts;
  if (!worth_asking && alias) {
    auto secure = is_secure_alias(resolver, host.name, deadline);
    if (!secure) return std::move(secure).error();
    worth_asking = *secure;
  }
  return worth_asking ? ask(resolver, host.name, host.port, deadline) : TlsaAnswer{};
}

std::expected<void, mail::DeliveryStatus> apply_dane(TlsPolicy& policy, const TlsSettings& settings,
                                                     dns::Resolver& resolver, const tls::DaneDigests& digests,
                                                     const TlsHost& host, std::string_view nexthop,
                                                     Deadline deadline) {
  bool strict = policy.level == Level::dane_only;
  auto settle_for = [&](Level level, std::string_view why) -> std::expected<void, mail::DeliveryStatus> {
    if (strict) return std::unexpected(local_failure("4.7.5", std::string(why)));
    policy.level = level;
    return {};
  };
  if (host.port == 0) {
    log::warning("{}: the \"dane\" security level is invalid for delivery via unix-domain sockets", nexthop);
    return std::unexpected(misconfigured());
  }
  if (!settings.dane_obstacle.empty()) {
    log::warning("{}", fmt::format(fmt::runtime(settings.dane_obstacle), nexthop, level_name(policy.level)));
    if (strict) return std::unexpected(misconfigured());
    policy.level = Level::may;
    return {};
  }
  bool insecure_mx = !host.domain.empty() && !host.mx_validated;
  if (insecure_mx && (strict || settings.insecure_mx_policy <= Level::may))
    return settle_for(Level::may, "non DNSSEC destination");
  TlsaAnswer answer = find_tlsa(resolver, host, settings.force_tlsa_lookup, deadline);
  if (answer.state == TlsaAnswer::State::unknown) {
    return std::unexpected(
        local_failure("4.7.5", fmt::format("TLSA lookup error for {}:{}", host.name, host.port)));
  }
  if (answer.state == TlsaAnswer::State::none) return settle_for(Level::may, "no TLSA records found");
  policy.dane.base_domain = answer.base_domain;
  for (const tls::Tlsa& record : answer.records)
    policy.dane.records.push_back(tls::whole_tlsa_text(record));
  std::erase_if(answer.records, [&](const tls::Tlsa& record) {
    if (settings.shows_records) {
      log::info("DNSSEC-signed TLSA record: _{}._tcp.{}: {}", host.port, answer.base_domain,
                tlsa_text(record));
    }
    if (is_usable(record, digests)) return false;
    bool known_usage = record.usage == 2 || record.usage == 3;
    log::warning(
        "_{}._tcp.{}{} {}", host.port, answer.base_domain,
        known_usage ? ": unusable TLSA RR:" : " unsupported TLSA certificate usage:", tlsa_text(record));
    return true;
  });
  policy.dane.unusable = answer.records.empty();
  if (answer.records.empty()) return settle_for(Level::encrypt, "TLSA records unusable");
  if (insecure_mx && settings.insecure_mx_policy == Level::encrypt)
    return settle_for(Level::encrypt, "MX record is not secure");
  policy.level = insecure_mx ? Level::half_dane : Level::dane;
  policy.records = std::move(answer.records);
  policy.base_domain = answer.base_domain;
  policy.match = {answer.base_domain};
  for (const std::string* name : {&host.mx_owner, &host.domain}) {
    if (!name->empty()) policy.match.push_back(*name);
  }
  return {};
}

}  // namespace postrider::smtp_client

#include "smtp/dane.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::smtp {

namespace {

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

void keep_usable(TlsaAnswer& answer, uint16_t port, const tls::DaneDigests& digests, bool shows) {
  std::erase_if(answer.records, [&](const tls::Tlsa& record) {
    if (shows) {
      log::info("DNSSEC-signed TLSA record: _{}._tcp.{}: {}", port, answer.base_domain, tlsa_text(record));
    }
    if (is_usable(record, digests)) return false;
    bool known_usage = record.usage == 2 || record.usage == 3;
    log::warning(
        "_{}._tcp.{}{} {}", port, answer.base_domain,
        known_usage ? ": unusable TLSA RR:" : " unsupported TLSA certificate usage:", tlsa_text(record));
    return true;
  });
}

}  // namespace postrider::smtp

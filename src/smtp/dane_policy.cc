#include "smtp/dane_policy.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtp/ledger.h"

namespace postrider::smtp_client {

namespace {

using smtp::TlsaAnswer;
using tls::Level;

mail::DeliveryStatus misconfigured() {
  return local_failure("4.7.5", "client TLS configuration problem");
}

}  // namespace

std::expected<void, mail::DeliveryStatus> apply_dane(TlsPolicy& policy, const TlsSettings& settings,
                                                     dns::Resolver& resolver, const tls::DaneDigests& digests,
                                                     const smtp::TlsHost& host, std::string_view nexthop,
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
  TlsaAnswer answer = smtp::find_tlsa(resolver, host, settings.force_tlsa_lookup, deadline);
  if (answer.state == TlsaAnswer::State::unknown) {
    return std::unexpected(
        local_failure("4.7.5", fmt::format("TLSA lookup error for {}:{}", host.name, host.port)));
  }
  if (answer.state == TlsaAnswer::State::none) return settle_for(Level::may, "no TLSA records found");
  policy.dane.base_domain = answer.base_domain;
  for (const tls::Tlsa& record : answer.records)
    policy.dane.records.push_back(tls::whole_tlsa_text(record));
  keep_usable(answer, host.port, digests, settings.shows_records);
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

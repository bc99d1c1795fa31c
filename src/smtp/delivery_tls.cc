// How TLS is used with the hosts of a destination.
#include <fmt/format.h>

#include "log/log.h"
#include "queue/record.h"
#include "smtp/delivery.h"

namespace postrider::smtp_client {

namespace {

/// For the tables and the name servers that a policy takes.
constexpr seconds kPolicyTime{100};

}  // namespace

/// `name` is the destination's domain or host, without port and brackets.
void Delivery::find_base_policy(std::string_view nexthop, std::string_view name) {
  constexpr auto kRelaxed = static_cast<uint32_t>(queue::kTlsNotRequired);
  constexpr auto kStrict = static_cast<uint32_t>(queue::kRequireTls);
  uint32_t options = job_.request.sendopts;
  bool strict = (options & kStrict) != 0 && settings_.tls.honour_require_tls;
  bool relaxed = (options & kRelaxed) != 0 && !strict;
  Deadline deadline = Deadline::after(kPolicyTime);
  policies_.clear();
  report_domain_ = relaxed && settings_.tls.honour_tls_required ? std::string_view() : name;
  base_policy_ = agent_.tls_policies().for_destination(nexthop, relaxed, deadline);
  if (!strict || !base_policy_) return;
  auto require = agent_.tables().require_tls.find(name, deadline);
  if (require) {
    base_policy_->require = *require;
    return;
  }
  log::warning("{}: {}", job_.request.queue_id, require.error().text);
  base_policy_ = std::unexpected(local_failure(
      "4.7.10", fmt::format("Sender requested REQUIRETLS, but the policy for {} cannot be found", name)));
}

/// A level at which the sender cannot have what is asked for. Hosts of the same destination may have others.
std::optional<mail::DeliveryStatus> Delivery::disappointment(const TlsPolicy& policy) const {
  bool fits = policy.require == RequireTls::enforce    ? must_match(policy.level)
              : policy.require == RequireTls::starttls ? policy.level > tls::Level::none
                                                       : true;
  if (fits) return std::nullopt;
  return local_failure("5.7.10", fmt::format("Sender requested REQUIRETLS, but the TLS security level for {} "
                                             "is only \"{}\"",
                                             nexthop_, level_name(policy.level)));
}

smtp::TlsHost Delivery::tls_host(const smtp::Destination& destination, const dns::MailHost& host) const {
  smtp::TlsHost out;
  out.name = name_of(host);
  out.canonical = host.canonical.empty() ? host.name : host.canonical;
  out.validated = host.validated;
  if (destination.kind != smtp::Destination::Kind::path) out.port = host.port.value_or(destination.port);
  if (!route_.best_mx) return out;
  out.domain = destination.name;
  out.mx_owner = route_.best_mx->owner;
  out.mx_validated = route_.best_mx->validated;
  return out;
}

/// Without one, the failure is remembered.
std::optional<TlsPolicy> Delivery::policy_for(const smtp::Destination& destination,
                                              const dns::MailHost& host) {
  smtp::TlsHost facts = tls_host(destination, host);
  std::string key = fmt::format("{} {} {} {}", facts.name, facts.canonical, facts.port, facts.validated);
  auto known = policies_.find(key);
  bool first = known == policies_.end();
  if (first) {
    auto policy = base_policy_;
    if (policy) {
      policy = agent_.tls_policies().for_host(std::move(*policy), destination.text, facts,
                                              Deadline::after(kPolicyTime));
    }
    if (auto why = policy ? disappointment(*policy) : std::nullopt) policy = std::unexpected(std::move(*why));
    known = policies_.emplace(std::move(key), std::move(policy)).first;
  }
  const auto& policy = known->second;
  if (!policy) {
    bool path = destination.kind == smtp::Destination::Kind::path;
    if (first) {
      log::warning("TLS policy lookup {}for {}/{}: {}", path ? "error " : "", destination.text, facts.name,
                   policy.error().reason);
    }
    ledger_.remember(mail::DeliveryStatus(policy.error()));
    return std::nullopt;
  }
  if (settings_.tls.wrapper && !requires_tls(policy->level)) {
    if (first) {
      log::warning("{} requires \"{} = encrypt\" (or stronger)", settings_.parameter("tls_wrappermode"),
                   settings_.parameter("tls_security_level"));
    }
    return std::nullopt;
  }
  return *policy;
}

/// Mail that has been tried before, and probes, which nobody tries again, go without TLS where it is optional
/// and fails. With a password that may not be shown, they do not.
bool Delivery::plain_will_do(ServerSession& session) {
  if (session.policy.level != tls::Level::may || session.policy.require >= RequireTls::starttls) return false;
  const proto::DeliverRequest& request = job_.request;
  bool probe = (request.flags & proto::kDeliverVerifyOnly) != 0;
  auto waited = std::chrono::microseconds(request.times.active - request.times.arrival);
  if (!probe && waited < settings_.tls.plaintext_after) return false;
  return agent_.sasl() == nullptr || !authentication(session).has_credentials();
}

void Delivery::note_tls_level(const TlsPolicy& policy) {
  ledger_.use_tls_level(policy.configured, policy.level);
  if (policy.require != RequireTls::off) ledger_.mark_require(RequireMark::open);
}

std::optional<TlsReportOrder> Delivery::find_report_order(const TlsPolicy& policy) const {
  const TlsReporter& reporter = agent_.tls().reporter;
  if (!reporter.enabled() || policy.level == tls::Level::none || report_domain_.empty()) return std::nullopt;
  return reporter.find_order(report_domain_, Deadline::after(kPolicyTime));
}

}  // namespace postrider::smtp_client

#include "smtp/tls_policies.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"
#include "smtp/ledger.h"

namespace postrider::smtp_client {

namespace {

using tls::Level;

constexpr std::string_view kNextHop = "next-hop destination", kHost = "server hostname";

std::unexpected<mail::DeliveryStatus> lookup_failed() {
  return std::unexpected(local_failure("4.3.0", "Temporary lookup error"));
}

std::unexpected<mail::DeliveryStatus> misconfigured() {
  return std::unexpected(local_failure("4.7.5", "client TLS configuration problem"));
}

}  // namespace

TlsPolicy TlsPolicies::default_policy() const {
  TlsPolicy out;
  out.level = out.configured = settings_.level;
  out.connection_reuse = settings_.connection_reuse;
  return out;
}

TlsPolicies::Found<std::optional<TlsPolicy>> TlsPolicies::find_key(std::string_view key,
                                                                   Deadline deadline) const {
  std::string where = fmt::format("{}, {} \"{}\"", policies_.parameter(), kNextHop, key);
  auto found = policies_.find(key, table::Where::all, deadline);
  if (!found) {
    log::warning("{}: policy table lookup error", where);
    return lookup_failed();
  }
  if (!*found) return std::nullopt;
  auto policy = parse_tls_policy((*found)->value, where, settings_);
  if (!policy) return misconfigured();
  return policy;
}

/// The destination; where that is the name of a domain, then those of its parents with a dot in front.
TlsPolicies::Found<std::optional<TlsPolicy>> TlsPolicies::find_policy(std::string_view nexthop,
                                                                      Deadline deadline) const {
  auto policy = find_key(nexthop, deadline);
  if (!mail::valid_hostname(nexthop)) return policy;
  for (size_t dot = nexthop.find('.', 1); policy && !*policy && dot != nexthop.npos;
       dot = nexthop.find('.', dot + 1)) {
    policy = find_key(nexthop.substr(dot), deadline);
  }
  return policy;
}

/// A word of a table of the older kind. What is more particular wins, then what is stricter.
TlsPolicies::Found<void> TlsPolicies::apply_site(std::optional<Level>& level, std::string_view name,
                                                 std::string_view kind, Deadline deadline) const {
  auto found = sites_.find(name, table::Where::all, deadline);
  if (!found) {
    log::warning("{}: {} \"{}\": per-site table lookup error", sites_.parameter(), kind, name);
    return lookup_failed();
  }
  if (!*found) return {};
  const std::string& word = (*found)->value;
  if (equals_ignore_case(word, "NONE")) {
    if (!level || *level <= Level::may) level = Level::none;
  } else if (equals_ignore_case(word, "MAY")) {
    if (!level) level = Level::may;
  } else if (equals_ignore_case(word, "MUST_NOPEERMATCH")) {
    if (!level || *level < Level::encrypt) level = Level::encrypt;
  } else if (equals_ignore_case(word, "MUST")) {
    if (!level || *level < Level::verify) level = Level::verify;
  } else {
    log::warning("{}: unknown TLS policy '{}' for {} {}", sites_.parameter(), word, kind, name);
    return misconfigured();
  }
  return {};
}

TlsPolicies::Found<void> TlsPolicies::apply_sites(TlsPolicy& policy, std::string_view nexthop,
                                                  std::string_view host, Deadline deadline) const {
  std::optional<Level> level;
  if (auto done = apply_site(level, nexthop, kNextHop, deadline); !done) return done;
  if (!equals_ignore_case(nexthop, host)) {
    if (auto done = apply_site(level, host, kHost, deadline); !done) return done;
  }
  if (!level) return {};
  // "MAY" says less than a level for everybody.
  if (*level == Level::may && settings_.level > Level::may) level = settings_.level;
  policy.level = policy.configured = *level;
  return {};
}

TlsPolicies::Found<TlsPolicy> TlsPolicies::for_destination(std::string_view nexthop, bool relaxed,
                                                           Deadline deadline) const {
  TlsPolicy policy = default_policy();
  if (!settings_.wanted()) return policy;
  if (relaxed && settings_.honour_tls_required) {
    policy.level = policy.configured = settings_.wrapper ? Level::encrypt : Level::may;
  } else if (!policies_.empty()) {
    auto found = find_policy(nexthop, deadline);
    if (!found) return std::unexpected(std::move(found).error());
    if (*found) policy = std::move(**found);
  } else {
    policy.by_host = !sites_.empty();
  }
  policy.by_host = policy.by_host || is_dane(policy.level) || policy.sts.restricts_hosts;
  return policy;
}

TlsPolicies::Found<TlsPolicy> TlsPolicies::for_host(TlsPolicy policy, std::string_view nexthop,
                                                    const smtp::TlsHost& host, Deadline deadline) const {
  if (policy.by_host && policies_.empty() && !sites_.empty()) {
    if (auto done = apply_sites(policy, nexthop, host.name, deadline); !done)
      return std::unexpected(std::move(done).error());
  }
  if (policy.sts.restricts_hosts && !policy.sts.allows(host.name)) {
    return std::unexpected(
        local_failure("4.7.5", fmt::format("MX name '{}' does not match STS MX pattern for '{}'", host.name,
                                           policy.sts.domain.empty() ? nexthop : policy.sts.domain)));
  }
  if (is_dane(policy.level) && digests_ != nullptr) {
    auto done = apply_dane(policy, settings_, resolver_, *digests_, host, nexthop, deadline);
    if (!done) return std::unexpected(std::move(done).error());
  }
  if (!complete_tls_policy(policy, settings_, nexthop)) return misconfigured();
  return policy;
}

}  // namespace postrider::smtp_client

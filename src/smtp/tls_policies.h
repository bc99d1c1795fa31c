// Finding the TLS policy for a server: main.cf, tables, the DNS.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "dns/resolver.h"
#include "mail/dsn.h"
#include "smtp/dane_policy.h"
#include "smtp/tls_policy.h"
#include "smtp/tls_settings.h"
#include "table/maps.h"

namespace postrider::smtp_client {

class TlsPolicies {
 public:
  template <typename T>
  using Found = std::expected<T, mail::DeliveryStatus>;

  /// `digests` is null where TLS cannot be had.
  TlsPolicies(const TlsSettings& settings, const table::Maps& policies, const table::Maps& sites,
              dns::Resolver& resolver, const tls::DaneDigests* digests)
      : settings_(settings), policies_(policies), sites_(sites), resolver_(resolver), digests_(digests) {}

  /// What is the same for all hosts of a destination. With `relaxed`, the sender prefers delivery to
  /// protection (RFC 8689 section 5). An error: no host of it can be used now.
  Found<TlsPolicy> for_destination(std::string_view nexthop, bool relaxed, Deadline deadline) const;
  /// What remains to be found out for one host.
  Found<TlsPolicy> for_host(TlsPolicy policy, std::string_view nexthop, const smtp::TlsHost& host,
                            Deadline deadline) const;

 private:
  Found<std::optional<TlsPolicy>> find_policy(std::string_view nexthop, Deadline deadline) const;
  Found<std::optional<TlsPolicy>> find_key(std::string_view key, Deadline deadline) const;
  Found<void> apply_site(std::optional<tls::Level>& level, std::string_view name, std::string_view kind,
                         Deadline deadline) const;
  Found<void> apply_sites(TlsPolicy& policy, std::string_view nexthop, std::string_view host,
                          Deadline deadline) const;
  TlsPolicy default_policy() const;

  const TlsSettings& settings_;
  const table::Maps& policies_;
  const table::Maps& sites_;
  dns::Resolver& resolver_;
  const tls::DaneDigests* digests_;
};

}  // namespace postrider::smtp_client

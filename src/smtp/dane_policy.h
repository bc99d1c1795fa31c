// Policies that depend on what the DNS says about the keys of a host: RFC 7672.
#pragma once

#include <expected>
#include <string_view>

#include "base/deadline.h"
#include "dns/resolver.h"
#include "mail/dsn.h"
#include "smtp/dane.h"
#include "smtp/tls_policy.h"
#include "smtp/tls_settings.h"

namespace postrider::smtp_client {

/// Makes of a policy of level dane or dane-only what the DNS has to say for the host. The error is why the
/// host cannot be used.
std::expected<void, mail::DeliveryStatus> apply_dane(TlsPolicy& policy, const TlsSettings& settings,
                                                     dns::Resolver& resolver, const tls::DaneDigests& digests,
                                                     const smtp::TlsHost& host, std::string_view nexthop,
                                                     Deadline deadline);

}  // namespace postrider::smtp_client

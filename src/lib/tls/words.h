// Words of tls_ parameters that OpenSSL, or this release, has to know; for those who look at a configuration.
#pragma once

#include <string_view>

namespace postrider::tls {

/// A word of tls_ssl_options or tls_disable_workarounds, or a mask ("0x...").
bool is_ssl_option(std::string_view word);
bool is_workaround(std::string_view word);
/// A word of tls_eecdh_auto_curves or tls_ffdhe_auto_groups.
bool is_group(std::string_view word);

}  // namespace postrider::tls

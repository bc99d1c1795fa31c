// What this build has: -a, -A, -l, -m and -T.
#pragma once

#include <span>
#include <string_view>

namespace postrider::postconf {

std::span<const std::string_view> server_sasl_types();
std::span<const std::string_view> client_sasl_types();
std::span<const std::string_view> lock_types();
/// Table types, sorted.
std::span<const std::string_view> table_types();
/// Prints the answer to -T.
void show_tls(std::string_view topic);

}  // namespace postrider::postconf

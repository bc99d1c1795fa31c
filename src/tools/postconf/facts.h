// What this build has: -a, -A, -l, -m and -T.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace postrider::postconf {

std::span<const std::string_view> server_sasl_types();
std::span<const std::string_view> client_sasl_types();
std::span<const std::string_view> lock_types();
/// Table types that can be used, sorted: those that need a plug-in only where it is installed.
std::vector<std::string> table_types(const config::Config& config);
/// Prints the answer to -T.
void show_tls(std::string_view topic);

}  // namespace postrider::postconf

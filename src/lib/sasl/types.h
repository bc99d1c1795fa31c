// The implementations that this build has.
#pragma once

#include <array>
#include <string_view>

namespace postrider::sasl {

#ifdef POSTRIDER_HAVE_CYRUS_SASL
inline constexpr std::array<std::string_view, 2> kServerTypes = {"cyrus", "dovecot"};
inline constexpr std::array<std::string_view, 1> kClientTypes = {"cyrus"};
#else
inline constexpr std::array<std::string_view, 1> kServerTypes = {"dovecot"};
inline constexpr std::array<std::string_view, 0> kClientTypes;
#endif

}  // namespace postrider::sasl

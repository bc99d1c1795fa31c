// SHA-1 (FIPS 180-4): where a format asks for it. It is no protection against anybody.
#pragma once

#include <string>
#include <string_view>

namespace postrider {

/// The 20 bytes of the digest.
std::string sha1(std::string_view data);

}  // namespace postrider

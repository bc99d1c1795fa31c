// The server's name in a client's first message (RFC 6066 section 3).
#pragma once

#include <string>
#include <string_view>

namespace postrider::tls {

/// The host name in the data of the extension; empty when there is none, or it makes no sense. It can be any
/// bytes.
std::string parse_server_name(std::string_view extension);

}  // namespace postrider::tls

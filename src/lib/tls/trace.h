// Dumps of what goes over a connection, for log levels 3 and 4.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tls/openssl.h"

namespace postrider::tls {

/// Bytes in lines of 16, as hexadecimal digits and as text; what is zero or blank at the end is only told of.
void dump(std::string_view bytes, const std::function<void(const std::string&)>& line);

/// Has everything logged that the connection reads and writes, until stop_dump().
void start_dump(SSL* connection);
void stop_dump(SSL* connection);

}  // namespace postrider::tls

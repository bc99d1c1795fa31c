// Programs of others that this system asks: policy services, content filters, authentication servers.
#pragma once

#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "io/stream.h"

namespace postrider::net {

/// Connects to the first address of an endpoint that answers: "unix:path" (also with the word "local"; a
/// relative path is below the working directory, which is the queue directory of every daemon), or
/// "inet:host:port", where a missing host is this one and the port may be a service name. `missing_type`
/// stands for a word that is not there. An error says why the last address could not be reached; names are
/// looked up with the system's resolver.
Result<io::Stream> connect(std::string_view endpoint, std::string_view missing_type, Deadline deadline);

/// The path of an endpoint that is a UNIX-domain socket, for a sandbox; empty: it is not.
std::string_view socket_path(std::string_view endpoint);

/// Why connect() failed, without the name of the system call: "Connection refused".
std::string reason_of(const Error& error);

}  // namespace postrider::net

// The PROXY protocol of HAProxy, versions 1 and 2: a load balancer in front tells who the client is before
// the session begins (smtpd_upstream_proxy_protocol, postscreen_upstream_proxy_protocol).
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "io/stream.h"
#include "sys/socket.h"

namespace postrider::net {

/// The two ends of the connection to the load balancer. For health checks (LOCAL) there are none: the
/// balancer itself is the client.
struct ProxyHeader {
  bool local = false;
  sys::Address client, server;
};

struct ProxyParse {
  ProxyHeader header;
  size_t length = 0;  ///< Bytes of it; what follows is the client's.
};

/// The longest header that is read, in bytes.
inline constexpr size_t kMaxProxyHeader = 536;

/// A header at the start of `input`; nothing when there is too little of it yet. An error's text is a reason.
Result<std::optional<ProxyParse>> parse_proxy_header(std::string_view input);

/// A header of version 1 with its end, for two addresses of one family.
std::string proxy_line(const sys::Address& client, const sys::Address& server);

/// Reads the header and nothing else.
Result<ProxyHeader> read_proxy_header(io::Stream& stream, Deadline deadline);

}  // namespace postrider::net

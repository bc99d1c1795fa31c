// resolv.conf(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "sys/socket.h"

namespace postrider::dns {

/// Name servers and how to ask them.
struct ResolvConf {
  std::vector<sys::Address> servers;  ///< With ports. At most three from a file.
  std::vector<std::string> search;    ///< Domains to append to short names.
  unsigned ndots = 1;
  milliseconds timeout{5000};  ///< For the first try; later tries wait longer.
  unsigned attempts = 2;
  bool rotate = false;
  bool use_tcp = false;
};

/// Reads the text of a resolv.conf file. Lines that make no sense are skipped, as resolver libraries do.
/// `host_name` has the domain that stands in for a missing "search"; without a name server, one on this host
/// is assumed.
ResolvConf parse_resolv_conf(std::string_view text, std::string_view host_name);

}  // namespace postrider::dns

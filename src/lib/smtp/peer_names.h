// The names that a server's certificate may have.
#pragma once

#include <string>

namespace postrider::smtp {

/// Whom a connection is made to.
struct PeerNames {
  std::string host;
  std::string nexthop;  ///< The destination's domain or host, without port and brackets.
};

/// What a word of smtp_tls_verify_cert_match and its kin stands for: "hostname", "nexthop", "dot-nexthop", or
/// a name itself. Internationalised names are in their ASCII form.
std::string match_name(const std::string& word, const PeerNames& names);
/// A name in its ASCII form; as it is, where it has none.
std::string ascii_name(const std::string& name);

}  // namespace postrider::smtp

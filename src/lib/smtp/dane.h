// What the DNS says about the keys of a host: RFC 7672.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "dns/resolver.h"
#include "tls/dane.h"

namespace postrider::smtp {

/// A host, and how it was found.
struct TlsHost {
  std::string name;
  std::string canonical;   ///< The end of the aliases of `name`.
  bool validated = false;  ///< Its addresses were validated with DNSSEC.
  uint16_t port = 0;       ///< 0: a UNIX-domain socket.
  std::string domain;      ///< Whose mail exchanger it is; empty: it was not found by one.
  std::string mx_owner;    ///< The end of the aliases of `domain`.
  bool mx_validated = false;
};

/// TLSA records of one name.
struct TlsaAnswer {
  enum class State : unsigned char { found, none, unknown };
  State state = State::none;  ///< `unknown`: nobody can tell now, and mail has to wait.
  std::string base_domain;
  std::vector<tls::Tlsa> records;
};

/// Records that count: those that were validated, of the host or of the name that it is an alias of.
TlsaAnswer find_tlsa(dns::Resolver& resolver, const TlsHost& host, bool insecure_hosts, Deadline deadline);

/// Keeps the records that a server can be compared with; others are warned of. With `shows`, all are logged.
void keep_usable(TlsaAnswer& answer, uint16_t port, const tls::DaneDigests& digests, bool shows);

}  // namespace postrider::smtp

// Where mail for a domain goes: RFC 5321 section 5, RFC 7505 (null MX), RFC 2782 (SRV).
//
// The rules, status codes and texts are those of Postfix's SMTP client.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/idna.h"
#include "dns/host.h"
#include "dns/resolver.h"
#include "sys/socket.h"

namespace postrider::dns {

enum class AddressPreference : unsigned char { any, ipv4, ipv6 };

struct RoutingSettings {
  std::vector<int> families{AF_INET, AF_INET6};  ///< inet_protocols: AF_INET before AF_INET6.
  bool host_lookup_dns = true;                   ///< smtp_host_lookup
  bool host_lookup_native = false;
  SearchOptions host_search;              ///< smtp_dns_resolver_options; for host names, not for MX lookups.
  bool dnssec = false;                    ///< smtp_dns_support_level = dnssec
  bool dnssec_below_insecure_mx = false;  ///< smtp_tls_dane_insecure_mx_policy is above "may".
  bool ignore_mx_lookup_error = false;
  bool ignore_srv_lookup_error = false;
  bool allow_srv_lookup_fallback = false;
  bool srv_falls_back_to_mx = true;  ///< For SMTP; LMTP looks up the host's addresses.
  bool defer_if_no_mx_address_found = false;
  bool randomize_addresses = true;
  AddressPreference preference = AddressPreference::any;
  bool balance_protocols = true;  ///< smtp_balance_inet_protocols
  size_t mx_address_limit = 5;    ///< smtp_mx_address_limit, as far as balancing needs it; 0: none.
  /// Whether to look for this host among the mail exchangers; LMTP does not.
  bool detect_loops = true;
  std::vector<sys::Address> own_addresses;   ///< inet_interfaces and proxy_interfaces.
  IdnaMapping idna = IdnaMapping::idna2008;  ///< enable_idna2003_compatibility
};

/// A place to deliver to.
struct MailHost {
  std::string name;       ///< As the MX or SRV record or the destination has it.
  std::string canonical;  ///< The owner of the address record: the end of the aliases of `name`.
  sys::Address address;   ///< Without a port.
  unsigned preference = 0;
  std::optional<uint16_t> port;  ///< Of a SRV record.
  bool validated = false;        ///< The address was validated with DNSSEC.
};

struct Route {
  std::vector<MailHost> hosts;    ///< In the order in which to try them.
  std::string status;             ///< Without hosts: the enhanced status code, such as "5.4.4".
  std::string reason;             ///< And the text.
  bool found_self = false;        ///< This host is a mail exchanger; only better ones are listed.
  std::optional<Record> best_mx;  ///< The first MX or SRV record, for DANE.

  bool loops() const { return hosts.empty() && status == "5.4.6"; }
  bool temporary() const { return status.starts_with('4'); }
};

/// One per process, or one per transport where settings differ.
class MailRouter {
 public:
  MailRouter(Resolver& resolver, HostLookup& hosts, RoutingSettings settings)
      : resolver_(resolver), hosts_(hosts), settings_(std::move(settings)) {}

  /// By MX records; by address records when there are none.
  Route by_domain(std::string_view domain, Deadline deadline);
  /// By address records only: for "[host]" destinations, which are given without the brackets. Also takes
  /// addresses, with or without "IPv6:".
  Route by_host(std::string_view host, Deadline deadline);
  /// By the SRV records of _service._tcp.domain.
  Route by_service(std::string_view domain, std::string_view service, Deadline deadline);

 private:
  struct Target {
    std::string_view host;
    unsigned preference = 0;
    std::optional<uint16_t> port;
    bool dnssec = false;
  };
  void add_addresses(Route& route, const Target& target, Deadline deadline);
  bool add_address_records(Route& route, const Target& target, Deadline deadline);
  void add_native_addresses(Route& route, const Target& target, Deadline deadline);
  void add_targets(Route& route, const std::vector<Record>& records, Deadline deadline);
  void host_route(Route& route, std::string_view host, Deadline deadline);
  void cut_at_self(Route& route, std::string_view name, unsigned best_preference);
  void order(std::vector<MailHost>& hosts, bool shuffle);
  bool is_self(const sys::Address& address) const;
  bool has_family(int family) const;
  std::string ascii(std::string_view name) const;

  Resolver& resolver_;
  HostLookup& hosts_;
  RoutingSettings settings_;
};

}  // namespace postrider::dns

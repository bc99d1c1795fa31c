// Names and addresses of hosts as programs other than mail systems see them: hosts file, then DNS, or
// whatever else the system's name service is told to do.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "dns/resolver.h"
#include "sys/name_service.h"
#include "sys/socket.h"

namespace postrider::dns {

struct HostLookupSettings {
  std::string hosts_path = "/etc/hosts";
  std::string nsswitch_path = "/etc/nsswitch.conf";
  Clock::duration check_interval = seconds(1);  ///< How often to look whether they have changed, at most.
};

/// Answers from the hosts file and through the resolver when nsswitch.conf asks for nothing else: then
/// thousands of lookups may wait for name servers at a time. Otherwise getaddrinfo() and getnameinfo() on
/// other threads, of which only a few at a time, because each may block for long.
class HostLookup {
 public:
  HostLookup(Resolver& resolver, HostLookupSettings settings);
  ~HostLookup();
  HostLookup(const HostLookup&) = delete;
  HostLookup& operator=(const HostLookup&) = delete;

  /// Reads the files now: for a process that is about to lose sight of them.
  void prepare();
  /// Addresses of the families (AF_INET, AF_INET6). A numeric host is its own address.
  sys::HostAnswer addresses(std::string_view host, std::span<const int> families, Deadline deadline);
  /// The name of an address. A name that is not a host name counts as none.
  sys::HostAnswer name(const sys::Address& address, Deadline deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether a name can be relied on.
enum class NameCheck : unsigned char {
  ok,
  temporary,  ///< The lookup failed and may succeed later.
  permanent,  ///< There is no name.
  forged,     ///< The name does not lead back to the address.
};

/// What is known about a client by its address.
struct ClientName {
  std::string name = "unknown";  ///< Only a name that leads back to the address.
  NameCheck name_status = NameCheck::permanent;
  std::string reverse_name = "unknown";  ///< What the address claims.
  NameCheck reverse_status = NameCheck::permanent;
};

/// The name of an address, checked by looking up its addresses. A name that fails the check is logged:
/// "hostname NAME does not resolve to address ADDRESS".
ClientName find_client_name(HostLookup& lookup, const sys::Address& address, Deadline deadline);

}  // namespace postrider::dns

#include "dns/host.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hostname.h"
#include "dns/hosts_file.h"
#include "dns/list.h"
#include "dns/watched_file.h"
#include "io/offload.h"
#include "io/sync.h"
#include "log/log.h"

namespace postrider::dns {

namespace {

/// The threads also sync queue files; name servers that do not answer must not take all of them.
constexpr size_t kMaxNative = 12;
constexpr size_t kMaxFileSize = 16 * 1024 * 1024;

/// "4.3.2.1.in-addr.arpa", or nibbles under ip6.arpa.
std::string reverse_name(const sys::Address& address) {
  return reversed(address) + (address.is_ipv4() ? ".in-addr.arpa" : ".ip6.arpa");
}

/// What getaddrinfo() would make of it.
sys::HostAnswer failure(const Answer& answer) {
  if (answer.status == Status::try_again) return sys::HostAnswer::failed(sys::HostError::try_again);
  bool exists = answer.status == Status::not_found && !answer.no_such_name;
  return sys::HostAnswer::failed(exists ? sys::HostError::no_address : sys::HostError::unknown_host);
}

bool contains(std::span<const int> families, int family) {
  return std::find(families.begin(), families.end(), family) != families.end();
}

}  // namespace

struct HostLookup::State {
  State(Resolver& r, HostLookupSettings s)
      : resolver(r),
        hosts_file(std::move(s.hosts_path), s.check_interval, kMaxFileSize),
        nsswitch(std::move(s.nsswitch_path), s.check_interval, kMaxFileSize) {}

  void refresh();
  template <typename Call>
  sys::HostAnswer native(Call call, Deadline deadline);
  sys::HostAnswer addresses_in_dns(std::string_view host, std::span<const int> families, Deadline deadline);
  sys::HostAnswer name_in_dns(const sys::Address& address, Deadline deadline);

  Resolver& resolver;
  WatchedFile hosts_file, nsswitch;
  HostsFile hosts;
  HostSources sources;
  io::Semaphore native_slots{kMaxNative};
};

void HostLookup::State::refresh() {
  if (auto text = nsswitch.take_new()) sources = parse_host_sources(*text);
  if (auto text = hosts_file.take_new()) hosts = HostsFile::parse(*text);
}

template <typename Call>
sys::HostAnswer HostLookup::State::native(Call call, Deadline deadline) {
  if (!native_slots.acquire(deadline)) return sys::HostAnswer::failed(sys::HostError::try_again);
  auto answer = io::offload(std::move(call), deadline);
  // After a deadline the thread is still at it, and its place is not free in truth; but to wait for it would
  // defeat the deadline.
  native_slots.release();
  if (!answer) return sys::HostAnswer::failed(sys::HostError::try_again);
  return std::move(*answer);
}

sys::HostAnswer HostLookup::State::addresses_in_dns(std::string_view host, std::span<const int> families,
                                                    Deadline deadline) {
  LookupOptions options{.dnssec = false,
                        .search = {.default_domain = true, .search_list = true},
                        .stop_when_found = false,
                        .filter = false,
                        .warn = false};
  if (host.ends_with('.')) {
    host.remove_suffix(1);
    options.search = {};
  }
  if (!is_valid_hostname(host)) return sys::HostAnswer::failed(sys::HostError::unknown_host);
  std::vector<Type> types;
  for (int family : families)
    types.push_back(family == AF_INET6 ? Type::aaaa : Type::a);
  Answer found = resolver.lookup(host, types, options, deadline);
  if (!found.found()) return failure(found);
  sys::HostAnswer answer;
  for (const Record& record : found.records) {
    if (auto address = record.address()) answer.addresses.push_back(*address);
  }
  return answer;
}

sys::HostAnswer HostLookup::State::name_in_dns(const sys::Address& address, Deadline deadline) {
  LookupOptions options{
      .dnssec = false, .search = {}, .stop_when_found = false, .filter = false, .warn = false};
  Answer found = resolver.lookup(reverse_name(address), Type::ptr, options, deadline);
  if (!found.found()) {
    return found.status == Status::try_again ? failure(found)
                                             : sys::HostAnswer::failed(sys::HostError::unknown_host);
  }
  sys::HostAnswer answer;
  answer.name = found.records.front().data;
  return answer;
}

HostLookup::HostLookup(Resolver& resolver, HostLookupSettings settings)
    : state_(std::make_unique<State>(resolver, std::move(settings))) {}

HostLookup::~HostLookup() = default;

void HostLookup::prepare() {
  state_->refresh();
}

sys::HostAnswer HostLookup::addresses(std::string_view host, std::span<const int> families,
                                      Deadline deadline) {
  State& s = *state_;
  sys::HostAnswer answer;
  if (auto address = sys::Address::from_ip(host)) {
    if (!contains(families, address->family())) return sys::HostAnswer::failed(sys::HostError::unknown_host);
    answer.addresses.push_back(*address);
    return answer;
  }
  s.refresh();
  if (s.sources.native) {
    int family = families.size() == 1 ? families.front() : AF_UNSPEC;
    return s.native([host = std::string(host), family] { return sys::get_host_addresses(host, family); },
                    deadline);
  }
  if (s.sources.files) {
    for (const sys::Address& address : s.hosts.addresses(host)) {
      if (contains(families, address.family())) answer.addresses.push_back(address);
    }
    if (!answer.addresses.empty()) return answer;
  }
  if (s.sources.dns) return s.addresses_in_dns(host, families, deadline);
  return sys::HostAnswer::failed(sys::HostError::unknown_host);
}

sys::HostAnswer HostLookup::name(const sys::Address& address, Deadline deadline) {
  State& s = *state_;
  s.refresh();
  sys::HostAnswer answer = sys::HostAnswer::failed(sys::HostError::unknown_host);
  if (s.sources.native) {
    answer = s.native([address] { return sys::get_host_name(address); }, deadline);
  } else if (auto name = s.sources.files ? s.hosts.name(address) : std::nullopt) {
    answer = {};
    answer.name = std::move(*name);
  } else if (s.sources.dns) {
    answer = s.name_in_dns(address, deadline);
  }
  if (!answer.found()) return answer;
  // An address for a name would be taken for the client's address by whoever reads it.
  if (sys::Address::from_ip(answer.name)) {
    log::warning("numeric hostname: {}", answer.name);
    return sys::HostAnswer::failed(sys::HostError::unknown_host);
  }
  if (std::string problem = hostname_problem(answer.name); !problem.empty()) {
    log::warning("{}", problem);
    return sys::HostAnswer::failed(sys::HostError::unknown_host);
  }
  return answer;
}

ClientName find_client_name(HostLookup& lookup, const sys::Address& address, Deadline deadline) {
  ClientName client;
  sys::HostAnswer reverse = lookup.name(address, deadline);
  if (!reverse.found()) {
    client.name_status = client.reverse_status =
        reverse.temporary() ? NameCheck::temporary : NameCheck::permanent;
    return client;
  }
  client.reverse_name = reverse.name;
  client.reverse_status = NameCheck::ok;
  int family = address.family();
  sys::HostAnswer forward = lookup.addresses(reverse.name, std::span(&family, 1), deadline);
  if (!forward.found()) {
    log::warning("hostname {} does not resolve to address {}: {}", reverse.name, address.ip(), forward.text);
    client.name_status = forward.temporary() ? NameCheck::temporary : NameCheck::forged;
    return client;
  }
  bool leads_back = std::any_of(
      forward.addresses.begin(), forward.addresses.end(),
      [&](const sys::Address& candidate) { return std::ranges::equal(candidate.bytes(), address.bytes()); });
  if (!leads_back) {
    log::warning("hostname {} does not resolve to address {}", reverse.name, address.ip());
    client.name_status = NameCheck::forged;
    return client;
  }
  client.name = reverse.name;
  client.name_status = NameCheck::ok;
  return client;
}

}  // namespace postrider::dns

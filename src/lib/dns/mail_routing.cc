#include "dns/mail_routing.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "sys/random.h"

namespace postrider::dns {

namespace {

/// How many mail exchangers' addresses are asked for at once, before it is known how many are needed.
constexpr size_t kPrefetchHosts = 5;

/// A soft failure stays soft: while one host may be found later, mail must wait, whatever is wrong with the
/// others.
void set_status(Route& route, std::string_view soft, std::string_view hard) {
  route.status = route.temporary() ? soft : hard;
}

void fail(Route& route, std::string_view status, std::string reason) {
  route.status = status;
  route.reason = std::move(reason);
}

/// RFC 2782: by priority, and among equals at random, by weight.
void sort_services(std::vector<Record>& records) {
  std::ranges::shuffle(records, sys::RandomBits{});
  // Weight 0 first within a priority, so that it has a small chance as well.
  std::ranges::stable_sort(records, [](const Record& a, const Record& b) {
    return std::pair(a.preference, a.weight != 0) < std::pair(b.preference, b.weight != 0);
  });
  for (auto first = records.begin(); first != records.end();) {
    auto last = std::find_if(first, records.end(),
                             [&](const Record& r) { return r.preference != first->preference; });
    for (; first != last; ++first) {
      uint64_t total =
          std::accumulate(first, last, uint64_t{0}, [](uint64_t n, const Record& r) { return n + r.weight; });
      uint64_t mark = sys::random_below(total + 1);
      auto chosen = first;
      for (uint64_t sum = chosen->weight; sum < mark; sum += chosen->weight)
        ++chosen;
      std::rotate(first, chosen, chosen + 1);
    }
  }
}

/// Keeps `limit` addresses so that neither family crowds out the other: each gets up to half of the places,
/// the one that comes first also the odd one, and what one does not need is the other's.
void balance(std::vector<MailHost>& hosts, size_t limit) {
  if (limit == 0 || hosts.size() <= limit) return;
  auto is_v6 = [](const MailHost& host) { return host.address.is_ipv6(); };
  size_t v6 = static_cast<size_t>(std::ranges::count_if(hosts, is_v6));
  size_t v4 = hosts.size() - v6;
  size_t v4_places, v6_places;
  if (v6 <= limit / 2) {
    v6_places = v6;
    v4_places = limit - v6;
  } else if (v4 <= limit / 2) {
    v4_places = v4;
    v6_places = limit - v4;
  } else {
    bool v6_first = is_v6(hosts.front());
    v6_places = v6_first ? limit - limit / 2 : limit / 2;
    v4_places = limit - v6_places;
  }
  std::erase_if(hosts, [&](const MailHost& host) {
    size_t& places = is_v6(host) ? v6_places : v4_places;
    if (places == 0) return true;
    --places;
    return false;
  });
}

}  // namespace

bool MailRouter::has_family(int family) const {
  return std::ranges::find(settings_.families, family) != settings_.families.end();
}

bool MailRouter::is_self(const sys::Address& address) const {
  return std::ranges::any_of(settings_.own_addresses, [&](const sys::Address& own) {
    return std::ranges::equal(own.bytes(), address.bytes());
  });
}

std::string MailRouter::ascii(std::string_view name) const {
  if (is_all_ascii(name)) return std::string(name);
  // A name without an ASCII form is looked up as it is, and so found to be invalid.
  return domain_to_ascii(name, settings_.idna).value_or(std::string(name));
}

/// Adds what is found to the route, or says in its status and reason why nothing is.
void MailRouter::add_addresses(Route& route, const Target& target, Deadline deadline) {
  if (auto address = sys::Address::from_ip(target.host); address && has_family(address->family())) {
    std::string name(target.host);
    route.hosts.push_back({name, name, *address, target.preference, target.port, false});
    return;
  }
  if (settings_.host_lookup_dns && !add_address_records(route, target, deadline)) return;
  if (settings_.host_lookup_native) add_native_addresses(route, target, deadline);
}

/// False when another way to look up the host is not worth trying.
bool MailRouter::add_address_records(Route& route, const Target& target, Deadline deadline) {
  std::vector<Type> types;
  for (int family : settings_.families)
    types.push_back(family == AF_INET6 ? Type::aaaa : Type::a);
  LookupOptions options{.dnssec = target.dnssec, .search = settings_.host_search};
  Answer answer = resolver_.lookup(target.host, types, options, deadline);
  if (!answer.found()) route.reason = answer.text;
  switch (answer.status) {
    case Status::found:
      for (const Record& record : answer.records) {
        route.hosts.push_back({std::string(target.host), record.owner,
                               record.address().value_or(sys::Address()), target.preference, target.port,
                               record.validated});
      }
      return false;
    case Status::try_again:
      route.status = "4.4.3";
      return false;
    case Status::policy:
      route.status = "4.7.0";
      return false;
    case Status::failed:
      set_status(route, "4.4.3", "5.4.3");
      return false;
    case Status::malformed:
      set_status(route, "4.4.4", "5.4.4");
      return false;
    case Status::null_service:
    case Status::not_found:
      break;
  }
  set_status(route, "4.4.4", "5.4.4");
  return true;
}

void MailRouter::add_native_addresses(Route& route, const Target& target, Deadline deadline) {
  sys::HostAnswer answer = hosts_.addresses(target.host, settings_.families, deadline);
  if (!answer.found()) {
    bool no_host = answer.error == sys::HostError::try_again || answer.error == sys::HostError::unknown_host;
    if (answer.temporary()) {
      route.status = no_host ? "4.4.4" : "4.3.0";
    } else {
      set_status(route, no_host ? "4.4.4" : "4.3.0", no_host ? "5.4.4" : "5.3.0");
    }
    route.reason = fmt::format("unable to look up host {}: {}", target.host, answer.text);
    return;
  }
  bool usable = false;
  for (const sys::Address& address : answer.addresses) {
    if (!has_family(address.family())) {
      log::info("skipping address family {} for host {}", address.family(), target.host);
      continue;
    }
    usable = true;
    std::string name(target.host);
    route.hosts.push_back({name, name, address, target.preference, target.port, false});
  }
  if (usable) return;
  set_status(route, "4.4.4", "5.4.4");
  route.reason = fmt::format("{}: host not found", target.host);
}

/// The addresses of the hosts of MX or SRV records, which are sorted.
void MailRouter::add_targets(Route& route, const std::vector<Record>& records, Deadline deadline) {
  bool dnssec = settings_.dnssec && (records.front().validated || settings_.dnssec_below_insecure_mx);
  if (settings_.host_lookup_dns && !settings_.host_search.default_domain &&
      !settings_.host_search.search_list) {
    for (size_t i = 0; i < std::min(records.size(), kPrefetchHosts); ++i) {
      if (sys::Address::from_ip(records[i].data)) continue;
      for (int family : settings_.families) {
        resolver_.prefetch(records[i].data, family == AF_INET6 ? Type::aaaa : Type::a, dnssec);
      }
    }
  }
  for (const Record& record : records) {
    std::optional<uint16_t> port;
    if (record.type == Type::srv) port = record.port;
    add_addresses(route, {record.data, record.preference, port, dnssec}, deadline);
    if (route.hosts.size() >= kMaxRecords) break;
  }
  if (route.hosts.size() > kMaxRecords) {
    Record last = records.front();
    last.owner = route.hosts[kMaxRecords - 1].canonical;
    last.type = route.hosts[kMaxRecords - 1].address.is_ipv6() ? Type::aaaa : Type::a;
    log::warning("{}", too_many_records(last));
    route.hosts.resize(kMaxRecords);
  }
}

/// Only hosts that are preferred over this one may be tried, or mail would go in circles.
void MailRouter::cut_at_self(Route& route, std::string_view name, unsigned best_preference) {
  if (!settings_.detect_loops) return;
  auto self = std::ranges::find_if(route.hosts, [&](const MailHost& host) { return is_self(host.address); });
  if (self == route.hosts.end()) return;
  route.found_self = true;
  unsigned best_found = route.hosts.front().preference;
  auto cut = std::ranges::find(route.hosts, self->preference, &MailHost::preference);
  route.hosts.erase(cut, route.hosts.end());
  if (!route.hosts.empty()) return;
  if (best_found != best_preference) {
    // The better hosts could not be found; that is no proof of a loop.
    fail(route, "4.4.4", fmt::format("unable to find primary relay for {}", name));
  } else {
    fail(route, "5.4.6", fmt::format("mail for {} loops back to myself", name));
  }
}

void MailRouter::order(std::vector<MailHost>& hosts, bool shuffle) {
  if (shuffle) {
    if (settings_.randomize_addresses) std::ranges::shuffle(hosts, sys::RandomBits{});
    auto rank = [&](const MailHost& host) {
      bool preferred = settings_.preference == AddressPreference::any ||
                       host.address.is_ipv6() == (settings_.preference == AddressPreference::ipv6);
      return std::pair(host.preference, !preferred);
    };
    std::ranges::stable_sort(hosts, {}, rank);
  }
  if (settings_.balance_protocols) balance(hosts, settings_.mx_address_limit);
}

void MailRouter::host_route(Route& route, std::string_view host, Deadline deadline) {
  route = Route();
  add_addresses(route, {host, 0, std::nullopt, settings_.dnssec}, deadline);
  bool self = settings_.detect_loops &&
              std::ranges::any_of(route.hosts, [&](const MailHost& found) { return is_self(found.address); });
  if (self) {
    route.hosts.clear();
    fail(route, "5.4.6", fmt::format("mail for {} loops back to myself", host));
    return;
  }
  order(route.hosts, true);
}

Route MailRouter::by_host(std::string_view host, Deadline deadline) {
  if (starts_with_ignore_case(host, "IPv6:") && sys::Address::from_ip(host.substr(5))) host.remove_prefix(5);
  Route route;
  host_route(route, ascii(host), deadline);
  return route;
}

Route MailRouter::by_domain(std::string_view domain, Deadline deadline) {
  Route route;
  std::string name = ascii(domain);
  Answer answer = resolver_.lookup(name, Type::mx, {.dnssec = settings_.dnssec}, deadline);
  route.reason = answer.text;
  switch (answer.status) {
    case Status::found:
      break;
    case Status::not_found:
      host_route(route, name, deadline);
      return route;
    case Status::null_service:
      route.status = "5.1.0";
      return route;
    case Status::policy:
      route.status = "4.7.0";
      return route;
    case Status::try_again:
    case Status::malformed:
    case Status::failed:
      route.status = answer.status == Status::try_again ? "4.4.3"
                     : answer.status == Status::failed  ? "5.4.3"
                                                        : "5.4.4";
      if (settings_.ignore_mx_lookup_error) host_route(route, name, deadline);
      return route;
  }
  std::ranges::stable_sort(answer.records, {}, &Record::preference);
  unsigned best_preference = answer.records.front().preference;
  route.best_mx = answer.records.front();
  add_targets(route, answer.records, deadline);
  if (route.hosts.empty()) {
    if (settings_.defer_if_no_mx_address_found && !route.status.empty()) route.status[0] = '4';
    log::warning("no MX host for {} has a valid address record", domain);
    return route;
  }
  cut_at_self(route, domain, best_preference);
  order(route.hosts, true);
  return route;
}

Route MailRouter::by_service(std::string_view domain, std::string_view service, Deadline deadline) {
  Route route;
  std::string name = fmt::format("_{}._tcp.{}", service, ascii(domain));
  bool fall_back = settings_.allow_srv_lookup_fallback;
  Answer answer = resolver_.lookup(name, Type::srv, {.dnssec = settings_.dnssec}, deadline);
  route.reason = answer.text;
  switch (answer.status) {
    case Status::found:
      sort_services(answer.records);
      route.best_mx = answer.records.front();
      add_targets(route, answer.records, deadline);
      if (route.hosts.empty()) {
        log::warning("no SRV host for {} has a valid address record", name);
      } else {
        cut_at_self(route, name, route.best_mx->preference);
        order(route.hosts, false);
      }
      break;
    case Status::not_found:
      route.status = "5.4.4";
      break;
    case Status::null_service:
      route.status = "5.1.0";
      break;
    case Status::policy:
      route.status = "4.7.0";
      break;
    case Status::try_again:
    case Status::malformed:
    case Status::failed:
      route.status = answer.status == Status::try_again ? "4.4.3"
                     : answer.status == Status::failed  ? "5.4.3"
                                                        : "5.4.4";
      fall_back = fall_back || settings_.ignore_srv_lookup_error;
      break;
  }
  if (!route.hosts.empty() || !fall_back) return route;
  log::info("skipping SRV lookup for {}: {}", name, route.reason);
  return settings_.srv_falls_back_to_mx ? by_domain(domain, deadline) : by_host(domain, deadline);
}

}  // namespace postrider::dns

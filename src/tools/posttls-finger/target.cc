#include "tools/posttls-finger/target.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/own_addresses.h"
#include "config/params/instance.h"
#include "config/params/smtp.h"
#include "config/params/system.h"
#include "log/log.h"
#include "smtp/dane.h"
#include "smtp/peer_names.h"
#include "sys/random.h"
#include "tls/log_topics.h"
#include "tool/tool.h"

namespace postrider::posttls_finger {

namespace params = config::params;

using tls::Level;

namespace {

/// For the name servers.
constexpr seconds kLookupTime{100};

dns::RoutingSettings routing_settings(const config::Config& config, const Options& options,
                                      const HostLookup& lookup) {
  dns::RoutingSettings out;
  out.families.clear();
  auto protocols = config::inet_protocols(config);
  if (!protocols) tool::fail_text(protocols.error().text);
  if (protocols->ipv4) out.families.push_back(AF_INET);
  if (protocols->ipv6) out.families.push_back(AF_INET6);
  out.host_lookup_dns = lookup.dns;
  out.host_lookup_native = lookup.native;
  out.dnssec = out.dnssec_below_insecure_mx = lookup.dns;
  out.srv_falls_back_to_mx = !options.lmtp;
  out.preference = options.family;
  out.balance_protocols = false;
  out.detect_loops = false;
  return out;
}

std::vector<tls::Tlsa> load_anchors(const std::vector<std::string>& files) {
  std::vector<tls::Tlsa> out;
  for (const std::string& path : files) {
    auto records = tls::read_anchors(path);
    if (!records) {
      log::warning("{}", records.error().text);
      tool::fail("Failed to load trust anchor file: {}", path);
    }
    for (tls::Tlsa& record : *records)
      out.push_back(std::move(record));
  }
  return out;
}

/// All mail exchangers by one family go before those by the other.
void put_first(std::vector<dns::MailHost>& hosts, dns::AddressPreference preference) {
  bool v6 = preference == dns::AddressPreference::ipv6;
  if (preference == dns::AddressPreference::any) v6 = sys::random_below(2) == 1;
  std::ranges::stable_partition(hosts,
                                [v6](const dns::MailHost& host) { return host.address.is_ipv6() == v6; });
}

}  // namespace

smtp::Destination parse_destination(const Options& options, const config::TcpPorts& ports) {
  auto parsed = options.lmtp ? smtp::parse_lmtp_destination(options.destination, "24", ports)
                             : smtp::parse_smtp_destination(options.destination, "smtp", ports);
  if (!parsed) tool::fail_text(parsed.error().text);
  return std::move(*parsed);
}

Finder::Finder(const config::Config& config, const Options& options)
    : options_(options),
      lookup_(parse_host_lookup(options.host_lookup)),
      own_name_(config.get(params::myhostname)),
      anchors_(load_anchors(options.anchors)),
      resolver_({.dnssec_probe = config.get(params::dnssec_probe)}),
      hosts_(resolver_, {}),
      router_(resolver_, hosts_, routing_settings(config, options, lookup_)) {}

dns::Route Finder::look_up(const smtp::Destination& destination) {
  Deadline deadline = Deadline::after(kLookupTime);
  if (options_.by_service && !destination.bracketed)
    return router_.by_service(destination.name, destination.service, deadline);
  return destination.kind == smtp::Destination::Kind::domain ? router_.by_domain(destination.name, deadline)
                                                             : router_.by_host(destination.name, deadline);
}

Result<Targets> Finder::find(const smtp::Destination& destination) {
  Targets out;
  out.destination = destination;
  if (destination.kind == smtp::Destination::Kind::path) {
    Target target;
    target.address = TRY(sys::Address::from_path(destination.name));
    target.peer = {.host = own_name_, .address = destination.name, .port = 0};
    out.targets.push_back(std::move(target));
    return out;
  }
  dns::Route route = look_up(destination);
  if (route.hosts.empty()) return fail(ErrorKind::not_found, route.reason);
  out.best_mx = std::move(route.best_mx);
  put_first(route.hosts, options_.family);
  for (dns::MailHost& host : route.hosts) {
    Target target;
    uint16_t port = host.port.value_or(destination.port);
    target.peer = {.host = host.name, .address = host.address.ip(), .port = port};
    target.address = host.address;
    target.address.set_port(port);
    target.host = std::move(host);
    out.targets.push_back(std::move(target));
  }
  return out;
}

/// The level that the DNS makes of DANE, and its records.
Result<void> Finder::apply_dane(tls::Demands& demands, const Targets& targets, const Target& target,
                                const tls::DaneDigests& digests) {
  bool strict = demands.level == Level::dane_only;
  auto settle_for = [&](Level level, std::string_view why) -> Result<void> {
    if (!why.empty()) log::info("{}", why);
    demands.level = level;
    return {};
  };
  auto without = [&](std::string_view what) {
    return settle_for(Level::secure, strict ? fmt::format("{}, resorting to \"secure\"", what) : "");
  };
  if (!uses_dnssec() || target.peer.port == 0) return without("no TLSA records found");
  bool insecure_mx = targets.best_mx && !targets.best_mx->validated;
  if (insecure_mx && options_.insecure_mx_policy == Level::may)
    return settle_for(Level::may, "MX RRset is insecure: try to encrypt");
  smtp::TlsHost host;
  host.name = target.host.name;
  host.canonical = target.host.canonical.empty() ? target.host.name : target.host.canonical;
  host.validated = target.host.validated;
  host.port = static_cast<uint16_t>(target.peer.port);
  auto answer = smtp::find_tlsa(resolver_, host, options_.force_tlsa, Deadline::after(kLookupTime));
  if (answer.state == smtp::TlsaAnswer::State::unknown)
    return fail(ErrorKind::temporary, fmt::format("TLSA lookup error for {}:{}", host.name, host.port));
  if (answer.state == smtp::TlsaAnswer::State::none) return without("no TLSA records found");
  bool shows = tls::parse_log_topics("-L option", options_.topics).has(tls::LogTopics::detail);
  keep_usable(answer, host.port, digests, shows);
  if (answer.records.empty()) return without("no usable TLSA records found");
  if (insecure_mx && options_.insecure_mx_policy == Level::encrypt)
    return settle_for(Level::encrypt, "TLSA RRs found, MX RRset insecure: just encrypt");
  demands.records = std::move(answer.records);
  demands.base_domain = demands.server_name = answer.base_domain;
  demands.names = {answer.base_domain};
  if (targets.best_mx) demands.names.push_back(targets.best_mx->owner);
  if (targets.best_mx) demands.names.push_back(targets.destination.name);
  return settle_for(insecure_mx ? Level::half_dane : Level::dane,
                    insecure_mx ? "MX RRset insecure: log verified as trusted" : "");
}

/// What the server's certificate has to have, where the DNS does not say.
void Finder::apply_match(tls::Demands& demands, const Targets& targets, const Target& target) const {
  if (demands.level == Level::fingerprint) {
    for (const std::string& word : options_.match) {
      for (tls::Tlsa& record : tls::fingerprint_records(word, "|"))
        demands.records.push_back(std::move(record));
    }
  }
  if (!needs_authority(demands.level)) return;
  demands.records = anchors_;
  // Names that are given are for a level that is given.
  std::vector<std::string> words =
      is_dane(options_.level.value_or(Level::dane)) ? std::vector<std::string>() : options_.match;
  if (words.empty() && demands.level == Level::verify) words = {"hostname"};
  if (words.empty()) words = {"nexthop", "dot-nexthop"};
  for (const std::string& word : words)
    demands.names.push_back(smtp::match_name(word, {target.peer.host, targets.destination.name}));
}

Result<tls::Demands> Finder::demands(const Targets& targets, const Target& target,
                                     const tls::DaneDigests& digests) {
  tls::Demands out;
  out.level = options_.level.value_or(uses_dnssec() ? Level::dane : Level::secure);
  out.protocols = options_.protocols;
  out.cipher_grade = options_.grade;
  out.server_name = options_.server_name;
  if (is_dane(out.level)) TRY(apply_dane(out, targets, target, digests));
  if (!is_dane(out.level)) apply_match(out, targets, target);
  return out;
}

}  // namespace postrider::posttls_finger

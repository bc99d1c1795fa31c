#include "smtp/settings.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/own_addresses.h"
#include "config/own_addresses.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/lmtp.h"
#include "config/params/lmtp_tls.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/smtp.h"
#include "config/params/smtp_tls.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "log/log.h"
#include "smtp/twin_parameters.h"

namespace postrider::smtp_client {

namespace params = config::params;

namespace {

[[noreturn]] void refuse(const config::Config& config, const std::string& name, std::string text,
                         std::string remedy) {
  throw config::ConfigError(std::move(text), config.source(name), std::move(remedy));
}

void read_timeouts(const TwinParameters& r, smtp::ClientSettings& s) {
  s.helo_timeout = r.get(params::smtp_helo_timeout, params::lmtp_lhlo_timeout);
  s.xforward_timeout = r.get(params::smtp_xforward_timeout, params::lmtp_xforward_timeout);
  s.mail_timeout = r.get(params::smtp_mail_timeout, params::lmtp_mail_timeout);
  s.rcpt_timeout = r.get(params::smtp_rcpt_timeout, params::lmtp_rcpt_timeout);
  s.data_init_timeout = r.get(params::smtp_data_init_timeout, params::lmtp_data_init_timeout);
  s.data_transfer_timeout = r.get(params::smtp_data_xfer_timeout, params::lmtp_data_xfer_timeout);
  s.data_done_timeout = r.get(params::smtp_data_done_timeout, params::lmtp_data_done_timeout);
  s.starttls_timeout = r.get(params::smtp_starttls_timeout, params::lmtp_starttls_timeout);
  s.rset_timeout = r.get(params::smtp_rset_timeout, params::lmtp_rset_timeout);
  s.quit_timeout = r.get(params::smtp_quit_timeout, params::lmtp_quit_timeout);
  s.per_request_deadline = r.get(params::smtp_per_request_deadline, params::lmtp_per_request_deadline);
  s.min_data_rate = static_cast<size_t>(r.get(params::smtp_min_data_rate, params::lmtp_min_data_rate));
}

smtp::ClientSettings read_session(const config::Config& config, const TwinParameters& r, Protocol protocol) {
  smtp::ClientSettings s;
  s.lmtp = protocol == Protocol::lmtp;
  s.helo_name = r.get(params::smtp_helo_name, params::lmtp_lhlo_name);
  s.own_host_name = config.get(params::myhostname);
  s.always_ehlo = config.get(params::smtp_always_send_ehlo);
  s.never_ehlo = config.get(params::smtp_never_send_ehlo);
  s.skip_5xx_greeting = r.get(params::smtp_skip_5xx_greeting, params::lmtp_skip_5xx_greeting);
  s.helpful_warnings = config.get(params::helpful_warnings);
  s.utf8 = config.get(params::smtputf8_enable);
  s.reply_limit = static_cast<size_t>(config.get(params::line_length_limit));
  s.line_limit = static_cast<size_t>(r.get(params::smtp_line_length_limit, params::lmtp_line_length_limit));
  read_timeouts(r, s);
  return s;
}

dns::AddressPreference parse_preference(const std::string& word) {
  if (word == "ipv4") return dns::AddressPreference::ipv4;
  return word == "ipv6" ? dns::AddressPreference::ipv6 : dns::AddressPreference::any;
}

void read_host_lookup(const config::Config& config, const TwinParameters& r, const std::string& name,
                      dns::RoutingSettings& s) {
  std::string text = r.get(params::smtp_host_lookup, params::lmtp_host_lookup);
  s.host_lookup_dns = s.host_lookup_native = false;
  for (std::string_view word : split_any(text, kListSeparators)) {
    if (equals_ignore_case(word, "dns")) {
      s.host_lookup_dns = true;
    } else if (equals_ignore_case(word, "native")) {
      s.host_lookup_native = true;
    } else {
      refuse(config, name, fmt::format("unknown {} value \"{}\" in \"{}\"", name, word, text),
             "use dns, native or both");
    }
  }
}

void read_resolver_options(const config::Config& config, const TwinParameters& r, const std::string& name,
                           dns::RoutingSettings& s) {
  std::string text = r.get(params::smtp_dns_resolver_options, params::lmtp_dns_resolver_options);
  for (std::string_view word : split_any(text, kListSeparators)) {
    if (equals_ignore_case(word, "res_defnames")) {
      s.host_search.default_domain = true;
    } else if (equals_ignore_case(word, "res_dnsrch")) {
      s.host_search.search_list = true;
    } else {
      refuse(config, name, fmt::format("unknown {} value \"{}\" in \"{}\"", name, word, text),
             "use res_defnames, res_dnsrch or both");
    }
  }
}

dns::RoutingSettings read_routing(const config::Config& config, const TwinParameters& r, Protocol protocol,
                                  bool& use_mx) {
  dns::RoutingSettings s;
  auto protocols = config::inet_protocols(config);
  if (!protocols) refuse(config, "inet_protocols", protocols.error().text, "use all, ipv4 or ipv6");
  s.families.clear();
  if (protocols->ipv4) s.families.push_back(AF_INET);
  if (protocols->ipv6) s.families.push_back(AF_INET6);
  bool lmtp = protocol == Protocol::lmtp;
  std::string level = r.get(params::smtp_dns_support_level, params::lmtp_dns_support_level);
  if (level.empty()) level = config.get(params::disable_dns_lookups) ? "disabled" : "enabled";
  if (level == "disabled") {
    s.host_lookup_dns = false;
    s.host_lookup_native = true;
  } else {
    read_host_lookup(config, r, lmtp ? "lmtp_host_lookup" : "smtp_host_lookup", s);
  }
  s.dnssec = level == "dnssec";
  s.dnssec_below_insecure_mx =
      tls::parse_level(config.get(params::smtp_tls_dane_insecure_mx_policy)).value_or(tls::Level::dane) >
      tls::Level::may;
  use_mx = level != "disabled" && !lmtp;
  read_resolver_options(config, r, lmtp ? "lmtp_dns_resolver_options" : "smtp_dns_resolver_options", s);
  s.ignore_srv_lookup_error = config.get(params::ignore_srv_lookup_error);
  s.allow_srv_lookup_fallback = config.get(params::allow_srv_lookup_fallback);
  s.srv_falls_back_to_mx = !lmtp;
  s.ignore_mx_lookup_error = config.get(params::ignore_mx_lookup_error);
  s.defer_if_no_mx_address_found =
      r.get(params::smtp_defer_if_no_mx_address_found, params::lmtp_defer_if_no_mx_address_found);
  s.randomize_addresses = r.get(params::smtp_randomize_addresses, params::lmtp_randomize_addresses);
  s.preference = parse_preference(r.get(params::smtp_address_preference, params::lmtp_address_preference));
  s.balance_protocols = r.get(params::smtp_balance_inet_protocols, params::lmtp_balance_inet_protocols);
  s.mx_address_limit =
      static_cast<size_t>(r.get(params::smtp_mx_address_limit, params::lmtp_mx_address_limit));
  s.own_addresses = clients::interface_addresses(config);
  std::vector<sys::Address> proxies = clients::proxy_addresses(config);
  s.own_addresses.insert(s.own_addresses.end(), proxies.begin(), proxies.end());
  if (config.get(params::enable_idna2003_compatibility)) s.idna = IdnaMapping::idna2003;
  return s;
}

SourceAddress read_source(const config::Config& config, const std::string& name, const std::string& value,
                          bool required, int family, const std::vector<sys::Address>& own) {
  SourceAddress out;
  if (!value.empty()) {
    out.address = sys::Address::from_ip(value);
    out.required = required;
    if (!out.address || out.address->family() != family) {
      refuse(config, name, fmt::format("smtp_connect_addr: bad {} parameter: {}", name, value),
             "give a numeric address");
    }
    return out;
  }
  // A system with one address of its own is to be seen by that: it may share the machine with others.
  for (const sys::Address& address : own) {
    if (address.family() != family) continue;
    if (out.address) return {};
    out.address = address;
  }
  if (out.address && out.address->is_loopback()) out.address.reset();
  return out;
}

CacheRules read_cache(const config::Config& config, const TwinParameters& r) {
  CacheRules out;
  out.on_demand = r.get(params::smtp_connection_cache_on_demand, params::lmtp_connection_cache_on_demand);
  out.idle =
      std::min(r.get(params::smtp_connection_cache_time_limit, params::lmtp_connection_cache_time_limit),
               config.get(params::connection_cache_ttl_limit));
  out.reuse_time = r.get(params::smtp_connection_reuse_time_limit, params::lmtp_connection_reuse_time_limit);
  out.reuse_count =
      r.get(params::smtp_connection_reuse_count_limit, params::lmtp_connection_reuse_count_limit);
  return out;
}

PixRules read_pix(const TwinParameters& r) {
  PixRules out;
  out.workarounds = r.get(params::smtp_pix_workarounds, params::lmtp_pix_workarounds);
  out.threshold =
      r.get(params::smtp_pix_workaround_threshold_time, params::lmtp_pix_workaround_threshold_time);
  out.delay = r.get(params::smtp_pix_workaround_delay_time, params::lmtp_pix_workaround_delay_time);
  return out;
}

Settings::Sasl read_sasl(const config::Config& config, const TwinParameters& r, const std::string& prefix) {
  Settings::Sasl out;
  out.enabled = r.get(params::smtp_sasl_auth_enable, params::lmtp_sasl_auth_enable);
  if (!out.enabled) return out;
  if (r.get(params::smtp_sasl_password_maps, params::lmtp_sasl_password_maps).empty()) {
    refuse(config, prefix + "sasl_auth_enable",
           fmt::format("specify a password table via the `{}sasl_password_maps' configuration parameter",
                       prefix),
           "or do not enable authentication");
  }
  auto options = [&](const std::string& name, const std::string& words) {
    auto parsed = sasl::parse_security_options(words);
    if (parsed) return *parsed;
    refuse(config, prefix + name,
           fmt::format("unknown SASL security options value \"{}\" in \"{}\"", parsed.error().text, words),
           "the options are noplaintext, noactive, nodictionary, noanonymous and mutual_auth");
  };
  out.options = options("sasl_security_options",
                        r.get(params::smtp_sasl_security_options, params::lmtp_sasl_security_options));
  out.tls_options = options("sasl_tls_security_options", r.get(params::smtp_sasl_tls_security_options,
                                                               params::lmtp_sasl_tls_security_options));
  out.tls_verified_options =
      options("sasl_tls_verified_security_options", r.get(params::smtp_sasl_tls_verified_security_options,
                                                          params::lmtp_sasl_tls_verified_security_options));
  out.by_sender =
      r.get(params::smtp_sender_dependent_authentication, params::lmtp_sender_dependent_authentication);
  out.soft_bounce = r.get(params::smtp_sasl_auth_soft_bounce, params::lmtp_sasl_auth_soft_bounce);
  out.dummy_auth = r.get(params::smtp_send_dummy_mail_auth, params::lmtp_send_dummy_mail_auth);
  out.delimiter =
      r.get(params::smtp_sasl_password_result_delimiter, params::lmtp_sasl_password_result_delimiter)[0];
  out.plug_in.type = r.get(params::smtp_sasl_type, params::lmtp_sasl_type);
  // The name of the protocol in the registry of SASL, for both.
  out.plug_in.service = prefix == "lmtp_" ? "lmtp" : "smtp";
  out.cache_name = r.get(params::smtp_sasl_auth_cache_name, params::lmtp_sasl_auth_cache_name);
  out.cache_time = r.get(params::smtp_sasl_auth_cache_time, params::lmtp_sasl_auth_cache_time);
  out.plug_in.authorize_as_user = config.get(params::send_cyrus_sasl_authzid);
  return out;
}

mail::MimeOptions read_mime(const config::Config& config) {
  mail::MimeOptions out;
  out.header_size_limit = static_cast<size_t>(config.get(params::header_size_limit));
  out.boundary_length_limit = static_cast<size_t>(config.get(params::mime_boundary_length_limit));
  out.nesting_limit = static_cast<size_t>(config.get(params::mime_nesting_limit));
  return out;
}

ServiceFlags read_flags(const std::vector<std::string>& attributes) {
  ServiceFlags out;
  constexpr std::string_view kFlags = "flags=";
  for (const std::string& attribute : attributes) {
    if (!starts_with_ignore_case(attribute, kFlags)) {
      throw std::runtime_error(fmt::format("unknown attribute name: {}", attribute));
    }
    for (char flag : std::string_view(attribute).substr(kFlags.size())) {
      bool* known = flag == 'D'   ? &out.delivered_to
                    : flag == 'O' ? &out.original_to
                    : flag == 'R' ? &out.return_path
                    : flag == 'X' ? &out.final
                                  : nullptr;
      if (known == nullptr) throw std::runtime_error(fmt::format("unknown flag: {} (ignored)", flag));
      *known = true;
    }
  }
  return out;
}

}  // namespace

Settings::Settings(const config::Config& config, Protocol chosen, const std::vector<std::string>& attributes)
    : protocol(chosen), flags(read_flags(attributes)), service_name(config.service_name()), ports(config) {
  TwinParameters r(config, protocol == Protocol::lmtp);
  myhostname = config.get(params::myhostname);
  default_port = r.get(params::smtp_tcp_port, params::lmtp_tcp_port);
  relayhost = config.get(params::relayhost);
  std::string relays = r.get(params::smtp_fallback_relay, params::lmtp_fallback_relay);
  for (std::string_view relay : split_any(relays, kListSeparators))
    fallback_relays.emplace_back(relay);
  if (!lmtp()) best_mx_transport = config.get(params::best_mx_transport);
  std::string services = config.get(params::use_srv_lookup);
  for (std::string_view service : split_any(services, kListSeparators))
    srv_services.push_back(lowercase(service));

  session = read_session(config, r, protocol);
  discarded_keywords =
      smtp::parse_keywords(r.get(params::smtp_discard_ehlo_keywords, params::lmtp_discard_lhlo_keywords));
  routing = read_routing(config, r, protocol, look_up_mx);
  dnssec_probe = config.get(params::dnssec_probe);
  mx_session_limit = static_cast<size_t>(r.get(params::smtp_mx_session_limit, params::lmtp_mx_session_limit));
  mx_address_limit = routing.mx_address_limit;
  connect_timeout = r.get(params::smtp_connect_timeout, params::lmtp_connect_timeout);
  std::vector<sys::Address> own = clients::interface_addresses(config);
  bool enforce = r.get(params::smtp_bind_address_enforce, params::lmtp_bind_address_enforce);
  source4 = read_source(config, parameter("bind_address"),
                        r.get(params::smtp_bind_address, params::lmtp_bind_address), enforce, AF_INET, own);
  source6 =
      read_source(config, parameter("bind_address6"),
                  r.get(params::smtp_bind_address6, params::lmtp_bind_address6), enforce, AF_INET6, own);
  cache = read_cache(config, r);
  pix = read_pix(r);
  sasl = read_sasl(config, r, parameter(""));
  tls = TlsSettings(config, lmtp());
  if (r.get(params::smtp_address_verify_target, params::lmtp_address_verify_target) == "data") {
    probe_target = ProbeTarget::data;
  }
  soft_bounce = config.get(params::soft_bounce);
  skip_quit_response = r.get(params::smtp_skip_quit_response, params::lmtp_skip_quit_response);
  quote_addresses = r.get(params::smtp_quote_rfc821_envelope, params::lmtp_quote_rfc821_envelope);
  cname_is_host_name =
      r.get(params::smtp_cname_overrides_servername, params::lmtp_cname_overrides_servername);
  send_xforward = r.get(params::smtp_send_xforward_command, params::lmtp_send_xforward_command);
  convert_to_7bit = !config.get(params::disable_mime_output_conversion);
  if (lmtp() && config.get(params::lmtp_assume_final)) {
    log::warning("lmtp_assume_final is obsolete; instead, specify \"flags=X\" in master.cf");
    flags.final = true;
  }
  mime = read_mime(config);
}

std::string Settings::parameter(std::string_view name) const {
  return fmt::format("{}_{}", lmtp() ? "lmtp" : "smtp", name);
}

Deadline Settings::connect_deadline() const {
  return connect_timeout > Clock::duration::zero() ? Deadline::after(connect_timeout) : Deadline::never();
}

}  // namespace postrider::smtp_client

#include "tools/lint/listeners.h"

#include <algorithm>

#include "base/text.h"

namespace postrider::lint {

namespace {

bool is_loopback(std::string_view host) {
  if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
  return equals_ignore_case(host, "loopback-only") || equals_ignore_case(host, "localhost") ||
         host == "::1" || host.starts_with("127.");
}

bool is_private(std::string_view host) {
  if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
  if (host.starts_with("10.") || host.starts_with("192.168.") || host.starts_with("fd") ||
      host.starts_with("fe80:"))
    return true;
  if (!host.starts_with("172.")) return false;
  constexpr int kFirst = 16, kLast = 31;
  auto second = parse_int(host.substr(4, host.find('.', 4) - 4));
  return second && *second >= kFirst && *second <= kLast;
}

/// Whether the service has an address of which `inside` knows nothing.
template <typename Inside>
bool has_other_address(const Model& model, const Service& service, Inside inside) {
  auto endpoint = config::parse_inet_endpoint(service.entry.name);
  if (!endpoint) return false;
  if (!endpoint->host.empty()) return !inside(endpoint->host);
  std::string interfaces = model.value("inet_interfaces");
  auto words = list_words(interfaces);
  return !std::ranges::all_of(words, inside);
}

}  // namespace

std::string port_of(const Service& service) {
  auto endpoint = config::parse_inet_endpoint(service.entry.name);
  if (!endpoint) return {};
  if (endpoint->port == "smtp") return "25";
  if (endpoint->port == "smtps" || endpoint->port == "submissions" || endpoint->port == "ssmtp") return "465";
  if (endpoint->port == "submission") return "587";
  return endpoint->port;
}

bool faces_network(const Model& model, const Service& service) {
  if (service.program != "smtpd") return false;
  if (service.entry.type == config::ServiceType::pass) return true;
  return service.is_inet() && has_other_address(model, service, is_loopback);
}

bool faces_internet(const Model& model, const Service& service) {
  if (!faces_network(model, service)) return false;
  if (service.entry.type == config::ServiceType::pass) return true;
  return has_other_address(model, service,
                           [](std::string_view host) { return is_loopback(host) || is_private(host); });
}

bool is_yes(const Model& model, std::string_view name, const Service* service) {
  return equals_ignore_case(model.value(name, service), "yes");
}

std::string_view server_tls_parameter(const Model& model, const Service& service) {
  if (is_yes(model, "smtpd_tls_wrappermode", &service)) return "smtpd_tls_wrappermode";
  if (!model.value("smtpd_tls_security_level", &service).empty()) return "smtpd_tls_security_level";
  if (is_yes(model, "smtpd_enforce_tls", &service)) return "smtpd_enforce_tls";
  if (is_yes(model, "smtpd_use_tls", &service)) return "smtpd_use_tls";
  return "smtpd_tls_security_level";
}

TlsUse server_tls(const Model& model, const Service& service) {
  std::string_view parameter = server_tls_parameter(model, service);
  if (parameter == "smtpd_use_tls") return TlsUse::offered;
  if (parameter != "smtpd_tls_security_level") return TlsUse::required;
  std::string level = lowercase(model.value(parameter, &service));
  if (level.empty() || level == "none") return TlsUse::none;
  return level == "may" ? TlsUse::offered : TlsUse::required;
}

}  // namespace postrider::lint

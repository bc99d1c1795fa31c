#include "config/tcp_ports.h"

#include <vector>

#include <fmt/format.h>

#include "config/params/system.h"
#include "sys/name_service.h"

namespace postrider::config {

namespace {

constexpr std::string_view kParameter = "known_tcp_ports";

Result<uint16_t> parse_port(std::string_view text) {
  auto number = parse_unsigned(text);
  if (!number || *number == 0 || *number > 65535) {
    return fail(ErrorKind::invalid, fmt::format("bad network port: {}", text));
  }
  return static_cast<uint16_t>(*number);
}

}  // namespace

TcpPorts::TcpPorts(const Config& config) {
  std::string text = config.get(params::known_tcp_ports);
  auto refuse = [&](std::string_view item, std::string_view why) {
    throw ConfigError(fmt::format("{}: bad item \"{}\": {}", kParameter, item, why),
                      config.source(kParameter), "write name=port, or name=name=port for more names");
  };
  for (std::string_view item : split_each(text, ',')) {
    item = trim(item);
    if (item.empty()) continue;
    std::vector<std::string_view> parts = split_each(item, '=');
    std::string_view last = trim(parts.back());
    auto port = parse_port(last);
    if (!port || !is_all_digits(last)) refuse(item, "a port number is missing");
    parts.pop_back();
    if (parts.empty()) refuse(item, "a name is missing");
    for (std::string_view part : parts) {
      std::string name(trim(part));
      if (name.empty() || is_all_digits(name)) refuse(item, "bad service name");
      if (!known_.emplace(name, *port).second) refuse(item, "duplicate service name");
    }
  }
}

Result<uint16_t> TcpPorts::find(std::string_view service) const {
  if (is_all_digits(service)) return parse_port(service);
  if (auto it = known_.find(service); it != known_.end()) return it->second;
  if (auto port = sys::service_port(std::string(service))) return *port;
  return fail(ErrorKind::not_found, fmt::format("unknown service: {}/tcp", service));
}

}  // namespace postrider::config

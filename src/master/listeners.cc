#include "master/listeners.h"

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/text.h"
#include "config/own_addresses.h"
#include "config/params/instance.h"
#include "config/tcp_ports.h"
#include "sys/file.h"
#include "sys/interfaces.h"

namespace postrider::master {

using config::ServiceType;

namespace {

constexpr int kBacklog = 1024;  // The kernel's somaxconn may allow less.

Result<uint16_t> port_number(const config::Config& config, std::string_view text) {
  auto port = config::TcpPorts(config).find(text);
  if (port && *port != 0) return *port;
  return fail(ErrorKind::invalid,
              fmt::format("unknown port \"{}\": use a number or a name in /etc/services", text));
}

Result<sys::Fd> open_fifo(const std::string& path) {
  if (auto status = sys::lstat_file(path); status && !S_ISFIFO(status->st_mode)) TRY(sys::unlink_file(path));
  TRY(sys::make_fifo(path, 0622));
  // Opened for writing too: the last writer that leaves must not look like the end of the file.
  return sys::open_file(path, O_RDWR | O_NONBLOCK);
}

bool has_ipv6() {
  return static_cast<bool>(sys::Fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)));
}

/// What a listener without a host binds to: the wildcard addresses with "inet_interfaces = all", else the
/// addresses named there.
Result<std::vector<sys::Address>> addresses_of_all_interfaces(const config::Config& config) {
  std::vector<sys::Address> out;
  if (trim(config.get(config::params::inet_interfaces)) != "all") {
    for (sys::InterfaceAddress& own : TRY(config::own_addresses(config)))
      out.push_back(own.address);
    return out;
  }
  config::InetProtocols protocols = TRY(config::inet_protocols(config));
  if (protocols.ipv4) out.push_back(*sys::Address::from_ip("0.0.0.0"));
  // A machine without IPv6 is no reason not to serve IPv4.
  if (protocols.ipv6 && (!protocols.ipv4 || has_ipv6())) out.push_back(*sys::Address::from_ip("::"));
  return out;
}

std::unexpected<Error> at_line(const config::Config& config, const config::MasterService& entry,
                               Error error) {
  error.text = fmt::format("{}/master.cf: line {}: service {}: {}", config.directory(), entry.line,
                           entry.name, error.text);
  return std::unexpected(std::move(error));
}

}  // namespace

std::string socket_path(const config::MasterService& entry) {
  return (entry.is_private ? "private/" : "public/") + entry.name;
}

std::string place_of(const config::Config& config, const config::MasterService& entry) {
  if (entry.type != ServiceType::inet) return socket_path(entry);
  auto parts = config::parse_inet_endpoint(entry.name);
  auto port = parts ? port_number(config, parts->port) : Result<uint16_t>(std::unexpected(parts.error()));
  if (!port) return entry.name;
  return parts->host.empty() ? fmt::format("{}", *port) : fmt::format("{}:{}", parts->host, *port);
}

Result<std::vector<sys::Address>> inet_addresses(const config::Config& config,
                                                 const config::MasterService& entry) {
  auto parts = config::parse_inet_endpoint(entry.name);
  if (!parts) return at_line(config, entry, parts.error());
  auto port = port_number(config, parts->port);
  if (!port) return at_line(config, entry, port.error());
  std::vector<sys::Address> out;
  if (parts->host.empty()) {
    out = TRY(addresses_of_all_interfaces(config));
  } else if (auto address = sys::Address::from_ip(parts->host)) {
    out.push_back(*address);
  } else {
    out = sys::resolve_host(parts->host);
    if (out.empty())
      return at_line(config, entry,
                     Error(ErrorKind::not_found, fmt::format("host not found: {}", parts->host)));
  }
  for (sys::Address& address : out)
    address.set_port(*port);
  return out;
}

Result<Listeners> open_listeners(const config::Config& config, const config::MasterService& entry) {
  Listeners out;
  ServiceType type = entry.type;
  if (type == ServiceType::inet) {
    out.addresses = TRY(inet_addresses(config, entry));
    for (const sys::Address& address : out.addresses)
      out.fds.push_back(TRY(sys::listen_stream(address, kBacklog)));
    return out;
  }
  out.path = socket_path(entry);
  if (type == ServiceType::fifo) {
    out.fds.push_back(TRY(open_fifo(out.path)));
    return out;
  }
  sys::Address address = TRY(sys::Address::from_path(out.path));
  out.fds.push_back(type == ServiceType::unix_dgram ? TRY(sys::bind_datagram(address))
                                                    : TRY(sys::listen_stream(address, kBacklog)));
  return out;
}

}  // namespace postrider::master

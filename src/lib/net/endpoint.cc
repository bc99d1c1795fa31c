#include "net/endpoint.h"

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "io/offload.h"
#include "mail/host_port.h"
#include "sys/name_service.h"
#include "sys/socket.h"

namespace postrider::net {

namespace {

Result<uint16_t> find_port(std::string_view text, Deadline deadline) {
  std::optional<uint16_t> port;
  if (is_all_digits(text)) {
    auto number = parse_unsigned(text);
    if (number && *number <= UINT16_MAX) port = static_cast<uint16_t>(*number);
  } else {
    port = TRY(io::offload([name = std::string(text)] { return sys::service_port(name); }, deadline));
  }
  if (!port) return fail(ErrorKind::invalid, fmt::format("unknown service: {}", text));
  return *port;
}

Result<std::vector<sys::Address>> inet_addresses(std::string_view text, Deadline deadline) {
  auto place = TRY(mail::parse_port_with_host(text, "localhost"));
  uint16_t port = TRY(find_port(place.port, deadline));
  std::string host(place.host);
  if (auto address = sys::Address::from_ip(host, port)) return std::vector{*address};
  auto answer = TRY(io::offload([host] { return sys::get_host_addresses(host, AF_UNSPEC); }, deadline));
  if (!answer.found()) return fail(ErrorKind::temporary, answer.text);
  for (sys::Address& address : answer.addresses)
    address.set_port(port);
  return std::move(answer.addresses);
}

}  // namespace

std::string_view socket_path(std::string_view endpoint) {
  for (std::string_view type : {"unix:", "local:"}) {
    if (endpoint.starts_with(type)) return endpoint.substr(type.size());
  }
  return {};
}

Result<io::Stream> connect(std::string_view endpoint, std::string_view missing_type, Deadline deadline) {
  constexpr std::string_view kInet = "inet:";
  std::string_view path = socket_path(endpoint);
  if (path.empty() && !endpoint.starts_with(kInet) && missing_type == "unix") path = endpoint;
  std::vector<sys::Address> addresses;
  if (!path.empty()) {
    addresses.push_back(TRY(sys::Address::from_path(path)));
  } else {
    if (endpoint.starts_with(kInet)) endpoint.remove_prefix(kInet.size());
    addresses = TRY(inet_addresses(endpoint, deadline));
  }
  Result<io::Stream> last = fail(ErrorKind::temporary, "no address");
  for (const sys::Address& address : addresses) {
    last = io::connect(address, std::nullopt, deadline);
    if (last) break;
  }
  return last;
}

std::string reason_of(const Error& error) {
  return error.kind == ErrorKind::timeout ? "Connection timed out" : error.text;
}

}  // namespace postrider::net

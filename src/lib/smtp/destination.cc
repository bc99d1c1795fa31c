#include "smtp/destination.h"

#include <fmt/format.h>

#include "base/text.h"
#include "mail/host_port.h"

namespace postrider::smtp {

std::vector<std::string_view> split_destinations(std::string_view list) {
  return split_any(list, kListSeparators);
}

Result<Destination> parse_smtp_destination(std::string_view text, std::string_view default_port,
                                           const config::TcpPorts& ports) {
  auto parsed = mail::parse_host_port(text, default_port);
  if (!parsed) {
    return fail(ErrorKind::invalid, fmt::format("{} in server description: {}", parsed.error().text, text));
  }
  auto port = ports.find(parsed->port);
  if (!port) return fail(port.error().kind, fmt::format("{} for destination: {}", port.error().text, text));
  return Destination{.kind = text.starts_with('[') ? Destination::Kind::host : Destination::Kind::domain,
                     .text = std::string(text),
                     .name = std::string(parsed->host),
                     .bracketed = text.starts_with('['),
                     .service = std::string(parsed->port),
                     .port = *port};
}

Result<Destination> parse_lmtp_destination(std::string_view text, std::string_view default_port,
                                           const config::TcpPorts& ports) {
  if (text.starts_with("unix:")) {
    std::string path(text.substr(5));
    return Destination{.kind = Destination::Kind::path, .text = path, .name = path};
  }
  if (text.starts_with("inet:")) text.remove_prefix(5);
  auto destination = TRY(parse_smtp_destination(text, default_port, ports));
  destination.kind = Destination::Kind::host;
  return destination;
}

}  // namespace postrider::smtp

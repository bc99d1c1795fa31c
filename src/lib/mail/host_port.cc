#include "mail/host_port.h"

#include <optional>

#include "base/text.h"
#include "mail/hostname.h"

namespace postrider::mail {

namespace {

/// The two halves as they stand; nothing in `host` or `port` when the text has none.
struct Halves {
  std::optional<std::string_view> host, port;
};

Result<Halves> split_bracketed(std::string_view text) {
  size_t end = text.find(']');
  if (end == std::string_view::npos) return fail(ErrorKind::invalid, "missing \"]\"");
  Halves out{.host = text.substr(1, end - 1), .port = {}};
  std::string_view rest = text.substr(end + 1);
  if (!rest.empty() && rest.front() != ':') return fail(ErrorKind::invalid, "garbage after \"]\"");
  if (rest.size() > 1) out.port = rest.substr(1);
  return out;
}

/// At the last ":", so that an IPv6 address keeps its own.
Halves split_plain(std::string_view text, bool lone_word_is_host) {
  Halves out;
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    (lone_word_is_host ? out.host : out.port) = text;
  } else {
    out.host = text.substr(0, colon);
    out.port = text.substr(colon + 1);
  }
  if (out.host && out.host->empty()) out.host.reset();
  if (out.port && out.port->empty()) out.port.reset();
  return out;
}

Result<HostPort> parse(std::string_view text, std::optional<std::string_view> default_host,
                       std::optional<std::string_view> default_port) {
  Halves halves = text.starts_with('[') ? TRY(split_bracketed(text)) : split_plain(text, default_port.has_value());
  auto port = halves.port ? halves.port : default_port;
  if (!port) return fail(ErrorKind::invalid, "missing service information");
  auto host = halves.host ? halves.host : default_host;
  if (!host) return fail(ErrorKind::invalid, "missing host information");
  if (halves.host) {
    if (auto address = mailhost_address(*host)) {
      host = address;
    } else if (!valid_host_address(*host) && !valid_utf8_hostname(*host, true)) {
      return fail(ErrorKind::invalid, "valid hostname or network address required");
    }
  }
  if (is_digit(port->front()) && !is_all_digits(*port)) {
    return fail(ErrorKind::invalid, "garbage after numerical service");
  }
  return HostPort{.host = *host, .port = *port};
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text, std::string_view default_port) {
  return parse(text, std::nullopt, default_port);
}

Result<HostPort> parse_port_with_host(std::string_view text, std::string_view default_host) {
  return parse(text, default_host, std::nullopt);
}

TransportNexthop split_transport(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {.transport = text, .nexthop = {}, .has_colon = false};
  return {.transport = text.substr(0, colon), .nexthop = text.substr(colon + 1), .has_colon = true};
}

}  // namespace postrider::mail

#include "net/proxy_header.h"

#include <algorithm>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::net {

namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kMaxLine = 107;  // Of version 1, with its end.
constexpr size_t kFixed = 16;     // Of version 2.
enum Command : unsigned { kLocal = 0, kProxy = 1 };
enum Family : unsigned { kTcp4 = 0x11, kTcp6 = 0x21 };

std::unexpected<Error> malformed(const char* why) {
  return fail(ErrorKind::invalid, why);
}

std::optional<uint16_t> read_port(std::string_view text) {
  auto number = is_all_digits(text) ? parse_unsigned(text) : std::nullopt;
  if (!number || *number > UINT16_MAX) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

/// "PROXY TCP4 192.0.2.1 192.0.2.25 4711 25".
Result<ProxyHeader> parse_line(std::string_view line) {
  std::vector<std::string_view> words = split_each(line, ' ');
  if (words.size() < 2 || words[0] != "PROXY") return malformed("bad protocol header");
  ProxyHeader out;
  if (words[1] == "UNKNOWN") {
    out.local = true;
    return out;
  }
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return malformed("bad protocol type");
  auto client_port = read_port(words[4]), server_port = read_port(words[5]);
  if (!client_port || !server_port) return malformed("bad port");
  auto client = sys::Address::from_ip(words[2], *client_port);
  auto server = sys::Address::from_ip(words[3], *server_port);
  bool ipv6 = words[1] == "TCP6";
  if (!client || client->is_ipv6() != ipv6) return malformed("bad client address");
  if (!server || server->is_ipv6() != ipv6) return malformed("bad server address");
  out.client = *client;
  out.server = *server;
  return out;
}

unsigned byte_at(std::string_view text, size_t i) {
  return static_cast<unsigned char>(text[i]);
}
unsigned word_at(std::string_view text, size_t i) {
  return byte_at(text, i) << 8U | byte_at(text, i + 1);
}

sys::Address address_at(std::string_view text, size_t i, size_t size, unsigned port) {
  std::span bytes(reinterpret_cast<const uint8_t*>(text.data()) + i, size);
  return sys::Address::from_bytes(bytes, static_cast<uint16_t>(port));
}

Result<ProxyHeader> parse_binary(std::string_view header) {
  unsigned version = byte_at(header, 12) >> 4U, command = byte_at(header, 12) & 15U;
  if (version != 2) return malformed("bad protocol version");
  ProxyHeader out;
  if (command == kLocal) {
    out.local = true;
    return out;
  }
  if (command != kProxy) return malformed("bad command");
  unsigned family = byte_at(header, 13);
  size_t size = family == kTcp4 ? 4 : family == kTcp6 ? 16 : 0;
  if (size == 0) return malformed("unsupported address family");
  if (header.size() < kFixed + 2 * size + 4) return malformed("short address field");
  size_t ports = kFixed + 2 * size;
  out.client = address_at(header, kFixed, size, word_at(header, ports));
  out.server = address_at(header, kFixed + size, size, word_at(header, ports + 2));
  return out;
}

}  // namespace

Result<std::optional<ProxyParse>> parse_proxy_header(std::string_view input) {
  size_t compared = std::min(input.size(), kSignature.size());
  if (input.substr(0, compared) == kSignature.substr(0, compared)) {
    if (input.size() < kFixed) return std::nullopt;
    size_t length = kFixed + word_at(input, 14);
    if (length > kMaxProxyHeader) return malformed("protocol header is too long");
    if (input.size() < length) return std::nullopt;
    return ProxyParse{TRY(parse_binary(input.substr(0, length))), length};
  }
  size_t end = input.substr(0, kMaxLine).find('\n');
  if (end == std::string_view::npos) {
    if (input.size() >= kMaxLine) return malformed("protocol header is too long");
    return std::nullopt;
  }
  std::string_view line = input.substr(0, end);
  if (!line.ends_with('\r')) return malformed("missing protocol header terminator");
  line.remove_suffix(1);
  return ProxyParse{TRY(parse_line(line)), end + 1};
}

std::string proxy_line(const sys::Address& client, const sys::Address& server) {
  return fmt::format("PROXY {} {} {} {} {}\r\n", client.is_ipv6() ? "TCP6" : "TCP4", client.ip(), server.ip(),
                     client.port(), server.port());
}

/// What follows the header may be TLS, which reads the descriptor itself: it stays there.
Result<ProxyHeader> read_proxy_header(io::Stream& stream, Deadline deadline) {
  for (std::string seen;;) {
    seen = TRY(stream.peek(seen.size(), kMaxProxyHeader + 1, deadline));
    auto parsed = TRY(parse_proxy_header(seen));
    if (!parsed) continue;
    TRY(stream.skip(parsed->length));
    return parsed->header;
  }
}

}  // namespace postrider::net

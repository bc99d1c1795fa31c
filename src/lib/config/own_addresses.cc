#include "config/own_addresses.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/instance.h"

namespace postrider::config {
namespace {

std::unexpected<Error> invalid(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

bool allowed(const InetProtocols& protocols, const sys::Address& address) {
  return address.is_ipv4() ? protocols.ipv4 : protocols.ipv6;
}

/// The addresses that a word of inet_interfaces names; "[...]" around an address is accepted.
std::vector<sys::Address> addresses_of(std::string_view word, const InetProtocols& protocols) {
  if (word.starts_with('[') && word.ends_with(']')) word = word.substr(1, word.size() - 2);
  std::vector<sys::Address> out;
  for (const sys::Address& address : sys::resolve_host(std::string(word)))
    if (allowed(protocols, address)) out.push_back(address);
  return out;
}

/// The network of an address: its first `length` bits, the others zero.
std::string network_text(const sys::Address& address, int length) {
  std::vector<uint8_t> bytes(address.bytes().begin(), address.bytes().end());
  for (size_t i = 0; i < bytes.size(); ++i) {
    int kept = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
    bytes[i] = static_cast<uint8_t>(bytes[i] & (0xff00 >> kept));
  }
  std::string ip = sys::Address::from_bytes(bytes).ip();
  return address.is_ipv6() ? fmt::format("[{}]/{}", ip, length) : fmt::format("{}/{}", ip, length);
}

/// RFC 791 class of an IPv4 network as a prefix length.
int class_length(const sys::Address& address) {
  uint8_t first = address.bytes()[0];
  if (first < 128) return 8;
  if (first < 192) return 16;
  return first < 224 ? 24 : 32;
}

}  // namespace

Result<InetProtocols> inet_protocols(const Config& config) {
  std::string text = config.get(params::inet_protocols);
  constexpr std::string_view kWords[] = {"ipv4", "ipv6", "all"};
  uint32_t mask = TRY(parse_words("inet_protocols", text, kWords));
  InetProtocols out{(mask & 5) != 0, (mask & 6) != 0};
  return out;
}

Result<std::vector<sys::InterfaceAddress>> own_addresses(const Config& config) {
  InetProtocols protocols = TRY(inet_protocols(config));
  std::vector<sys::InterfaceAddress> local = TRY(sys::interface_addresses());
  std::erase_if(local, [&](const auto& entry) { return !allowed(protocols, entry.address); });
  std::ranges::stable_sort(local, {}, [](const auto& entry) { return entry.address.is_ipv6(); });

  std::string text = config.get(params::inet_interfaces);
  if (equals_ignore_case(trim(text), "all")) return local;
  if (equals_ignore_case(trim(text), "loopback-only")) {
    std::erase_if(local, [](const auto& entry) { return !entry.address.is_loopback(); });
    return local;
  }
  std::vector<sys::Address> named;
  if (!protocols.ipv4 && !protocols.ipv6) return local;
  for (std::string_view word : split_any(text, kListSeparators)) {
    std::vector<sys::Address> found = addresses_of(word, protocols);
    if (found.empty())
      return invalid(fmt::format("config variable inet_interfaces: host not found: {}", word));
    for (const sys::Address& address : found)
      if (std::ranges::find(named, address) == named.end()) named.push_back(address);
  }
  std::ranges::stable_sort(named, {}, &sys::Address::is_ipv6);
  std::vector<sys::InterfaceAddress> out;
  for (const sys::Address& address : named) {
    auto found = std::ranges::find(local, address, &sys::InterfaceAddress::address);
    if (found == local.end())
      return invalid(fmt::format("parameter inet_interfaces: no local interface found for {}", address.ip()));
    out.push_back(*found);
  }
  return out;
}

Result<std::string> networks_of(const std::vector<sys::InterfaceAddress>& addresses, std::string_view style) {
  std::vector<std::string> networks;
  for (const auto& [address, subnet] : addresses) {
    int full = static_cast<int>(address.bytes().size()) * 8;
    int length = full;
    if (style == "subnet" || (style == "class" && address.is_ipv6())) length = subnet;
    if (style == "class" && address.is_ipv4()) length = class_length(address);
    std::string network = network_text(address, length);
    if (std::ranges::find(networks, network) == networks.end()) networks.push_back(std::move(network));
  }
  return join(networks, " ");
}

}  // namespace postrider::config

#include "smtpd/limits.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/params/smtpd.h"
#include "config/params/smtpd_tls.h"
#include "log/log.h"

namespace postrider::smtpd {

namespace params = config::params;

namespace {

/// The service is local and answers from memory; a client does not wait longer for it.
constexpr seconds kPatience{10};

uint32_t limit(int value) {
  return static_cast<uint32_t>(std::max(value, 0));
}

/// The first address of the network of `bits` that the address is in.
sys::Address network_of(const sys::Address& address, int bits) {
  std::array<uint8_t, 16> bytes{};
  auto original = address.bytes();
  for (size_t i = 0; i < original.size(); ++i) {
    int left = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    bytes[i] = static_cast<uint8_t>(original[i] & (0xff << (8 - left)));
  }
  return sys::Address::from_bytes(std::span(bytes).first(original.size()));
}

}  // namespace

EventLimits::EventLimits(const config::Config& c)
    : connection_count(limit(c.get(params::smtpd_client_connection_count_limit))),
      connection_rate(limit(c.get(params::smtpd_client_connection_rate_limit))),
      message_rate(limit(c.get(params::smtpd_client_message_rate_limit))),
      recipient_rate(limit(c.get(params::smtpd_client_recipient_rate_limit))),
      auth_rate(limit(c.get(params::smtpd_client_auth_rate_limit))),
      new_tls_rate(limit(c.get(params::smtpd_client_new_tls_session_rate_limit))),
      ipv4_prefix(c.get(params::smtpd_client_ipv4_prefix_length)),
      ipv6_prefix(c.get(params::smtpd_client_ipv6_prefix_length)) {}

bool EventLimits::any() const {
  return connection_count > 0 || connection_rate > 0 || message_rate > 0 || recipient_rate > 0 ||
         auth_rate > 0 || new_tls_rate > 0;
}

std::string event_ident(std::string_view service, const Client& client, const EventLimits& limits) {
  auto address = sys::Address::from_ip(client.address);
  int bits = client.is_ipv6() ? limits.ipv6_prefix : limits.ipv4_prefix;
  if (!address || bits == static_cast<int>(address->bytes().size() * 8)) {
    return fmt::format("{}:{}", service, client.address);
  }
  return fmt::format("{}:{}/{}", service, network_of(*address, bits).ip(), bits);
}

AnvilCounter::AnvilCounter(const config::Config& config) : client_(config, "smtpd") {}

Result<EventCounter::Connections> AnvilCounter::connect(std::string_view ident) {
  return client_.connect(ident, Deadline::after(kPatience));
}

void AnvilCounter::disconnect(std::string_view ident) {
  client_.disconnect(ident, Deadline::after(kPatience));
}

Result<uint32_t> AnvilCounter::count(std::string_view ident, proto::AnvilEvent event) {
  return client_.count(ident, event, Deadline::after(kPatience));
}

Result<uint32_t> AnvilCounter::rate(std::string_view ident, proto::AnvilEvent event) {
  return client_.rate(ident, event, Deadline::after(kPatience));
}

Result<EventCounter::Connections> CountedConnection::begin() {
  auto answer = counter_.connect(ident_);
  begun_ = answer.has_value();
  if (!answer) log::warning("no limits on clients' connections: {}", answer.error().text);
  return answer;
}

void CountedConnection::end() {
  if (std::exchange(begun_, false)) counter_.disconnect(ident_);
}

}  // namespace postrider::smtpd

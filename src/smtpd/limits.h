// How many connections a client has, and what it does how often, over all processes of the service.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "clients/anvil.h"
#include "config/config.h"
#include "smtpd/client.h"

namespace postrider::smtpd {

/// Limits by client; 0: none.
struct EventLimits {
  explicit EventLimits(const config::Config& config);
  bool any() const;
  uint32_t connection_count, connection_rate, message_rate, recipient_rate, auth_rate, new_tls_rate;
  int ipv4_prefix, ipv6_prefix;  ///< Clients of one network of this size count as one.
};

/// Who a client is to these counts: "smtp:192.0.2.1", "smtp:2001:db8::/84".
std::string event_ident(std::string_view service, const Client& client, const EventLimits& limits);

/// Keeps the counts. Errors mean that there is no limit now.
class EventCounter {
 public:
  using Connections = clients::AnvilClient::Connections;
  virtual ~EventCounter() = default;
  virtual Result<Connections> connect(std::string_view ident) = 0;
  virtual void disconnect(std::string_view ident) = 0;
  virtual Result<uint32_t> count(std::string_view ident, proto::AnvilEvent event) = 0;
  /// How often it has happened; nothing has happened now.
  virtual Result<uint32_t> rate(std::string_view ident, proto::AnvilEvent event) = 0;
};

/// Asks the anvil service.
class AnvilCounter : public EventCounter {
 public:
  AnvilCounter(const config::Config& config);
  Result<Connections> connect(std::string_view ident) override;
  void disconnect(std::string_view ident) override;
  Result<uint32_t> count(std::string_view ident, proto::AnvilEvent event) override;
  Result<uint32_t> rate(std::string_view ident, proto::AnvilEvent event) override;

 private:
  clients::AnvilClient client_;
};

/// A client's connection, counted for as long as this lives.
class CountedConnection {
 public:
  CountedConnection(EventCounter& counter, std::string ident) : counter_(counter), ident_(std::move(ident)) {}
  CountedConnection(const CountedConnection&) = delete;
  CountedConnection& operator=(const CountedConnection&) = delete;

  Result<EventCounter::Connections> begin();
  void end();
  Result<uint32_t> count(proto::AnvilEvent event) { return counter_.count(ident_, event); }
  Result<uint32_t> rate(proto::AnvilEvent event) { return counter_.rate(ident_, event); }

 private:
  EventCounter& counter_;
  std::string ident_;
  bool begun_ = false;
};

}  // namespace postrider::smtpd

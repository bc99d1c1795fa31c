#include "clients/tls_proxy.h"

#include <algorithm>
#include <cerrno>

#include "clients/endpoint.h"
#include "config/params/tlsproxy.h"
#include "ipc/client.h"

namespace postrider::clients {

namespace {

Result<TlsProxySession> request(const config::Config& config, std::string_view asker,
                                const TlsProxyTask& task, std::optional<proto::TlsProxyDemands> demands,
                                Deadline deadline) {
  proto::TlsProxyRequest message;
  message.service = task.service;
  message.peer = task.peer;
  message.label = task.label;
  message.handshake_seconds = static_cast<uint32_t>(task.handshake.count());
  message.idle_seconds = static_cast<uint32_t>(task.idle.count());
  message.demands = std::move(demands);
  ipc::Endpoint endpoint = private_endpoint(config, config.get(config::params::tlsproxy_service_name), asker);
  auto connection = TRY(ipc::connect(endpoint, deadline));
  TRY(connection->send(message, deadline));
  TRY(connection->receive_as<proto::TlsProxyReady>(deadline));
  return TlsProxySession(std::move(connection));
}

}  // namespace

Result<void> TlsProxySession::hand_over(int fd, Deadline deadline) {
  io::Stream& stream = connection_->stream();
  for (;;) {
    auto sent = sys::send_with_fd(stream.fd(), "F", fd);
    if (sent || sent.error().code != EAGAIN) return sent;
    if (!stream.events().wait_writable(deadline)) return fail(ErrorKind::timeout, "timed out");
  }
}

Result<proto::TlsProxyStarted> TlsProxySession::wait_started(Deadline deadline) {
  return connection_->receive_as<proto::TlsProxyStarted>(deadline);
}

io::Stream TlsProxySession::take_stream() && {
  // The last frame is done with; what is behind it is none.
  (void)connection_->wait_frame(Deadline::after(seconds(0)));
  return std::move(connection_->stream());
}

Result<TlsProxySession> request_tls_server(const config::Config& config, std::string_view asker,
                                           const TlsProxyTask& task, Deadline deadline) {
  return request(config, asker, task, std::nullopt, deadline);
}

Result<TlsProxySession> request_tls_client(const config::Config& config, std::string_view asker,
                                           const TlsProxyTask& task, const tls::Demands& demands,
                                           Deadline deadline) {
  return request(config, asker, task, encode_demands(demands), deadline);
}

proto::TlsProxyDemands encode_demands(const tls::Demands& demands) {
  proto::TlsProxyDemands out;
  out.level = static_cast<uint8_t>(demands.level);
  out.protocols = demands.protocols;
  out.cipher_grade = demands.cipher_grade;
  out.cipher_exclusions = demands.cipher_exclusions;
  for (const std::string& name : demands.names)
    out.names.emplace_back(name);
  for (const tls::Tlsa& record : demands.records) {
    proto::TlsProxyRecord& to = out.records.emplace_back();
    to.usage = record.usage;
    to.selector = record.selector;
    to.matching = record.matching;
    to.data = record.data;
  }
  out.base_domain = demands.base_domain;
  out.server_name = demands.server_name;
  out.session_key = demands.session_key;
  return out;
}

std::optional<tls::Demands> decode_demands(const proto::TlsProxyDemands& message) {
  if (message.level < static_cast<uint8_t>(tls::Level::may) ||
      message.level > static_cast<uint8_t>(tls::Level::secure)) {
    return std::nullopt;
  }
  tls::Demands out;
  out.level = static_cast<tls::Level>(message.level);
  out.protocols = message.protocols;
  out.cipher_grade = message.cipher_grade;
  out.cipher_exclusions = message.cipher_exclusions;
  for (const auto& name : message.names)
    out.names.emplace_back(name);
  for (const proto::TlsProxyRecord& record : message.records)
    out.records.push_back({record.usage, record.selector, record.matching, record.data});
  out.base_domain = message.base_domain;
  out.server_name = message.server_name;
  out.session_key = message.session_key;
  return out;
}

}  // namespace postrider::clients

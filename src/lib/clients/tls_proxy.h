// Having tlsproxy speak TLS on a connection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "io/stream.h"
#include "ipc/connection.h"
#include "proto/tlsproxy.h"
#include "tls/client.h"

namespace postrider::clients {

/// What tlsproxy is told of a session.
struct TlsProxyTask {
  std::string service;     ///< For whom: the own service, or the remote one.
  std::string peer;        ///< "[address]:port"
  std::string label;       ///< Where TLS has something to log: "name[address]:port".
  seconds handshake{300};  ///< For tlsproxy to begin TLS.
  seconds idle{300};       ///< Without a byte in either direction the session ends.
};

/// A session that tlsproxy is ready to serve. It is given up when this goes.
class TlsProxySession {
 public:
  explicit TlsProxySession(std::unique_ptr<ipc::Connection> connection)
      : connection_(std::move(connection)) {}

  /// Hands over the connection, of which nothing may be read or written here any more. The caller closes it.
  Result<void> hand_over(int fd, Deadline deadline);
  /// Waits for the end of the handshake. An error: it has failed, and tlsproxy has logged why.
  Result<proto::TlsProxyStarted> wait_started(Deadline deadline);
  /// What is said through TLS from now on.
  io::Stream take_stream() &&;

 private:
  std::unique_ptr<ipc::Connection> connection_;
};

/// Asks the service of tlsproxy_service_name for the server's side of TLS. An error: TLS cannot be had now.
Result<TlsProxySession> request_tls_server(const config::Config& config, std::string_view asker,
                                           const TlsProxyTask& task, Deadline deadline);
/// The same for the client's side.
Result<TlsProxySession> request_tls_client(const config::Config& config, std::string_view asker,
                                           const TlsProxyTask& task, const tls::Demands& demands,
                                           Deadline deadline);

/// As they are sent, and back. Nothing: the message makes no sense.
proto::TlsProxyDemands encode_demands(const tls::Demands& demands);
std::optional<tls::Demands> decode_demands(const proto::TlsProxyDemands& message);

}  // namespace postrider::clients

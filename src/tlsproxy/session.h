// One connection that TLS is spoken on.
#pragma once

#include <string>

#include "io/stream.h"
#include "ipc/connection.h"
#include "proto/tlsproxy.h"
#include "tlsproxy/engine.h"

namespace postrider::tlsproxy {

/// proto/tlsproxy.h tells what is said with the process that asks.
class Session {
 public:
  Session(Engine& engine, io::Stream asker) : engine_(engine), asker_(std::move(asker), "tlsproxy") {}
  void run();

 private:
  bool begin();
  bool may_begin();
  bool receive_descriptor();
  void serve();
  tls::Session* handshake();
  std::unique_ptr<tls::Session> connect(Deadline deadline);
  bool is_welcome(const tls::Info& info) const;
  bool report(const tls::Info& info);
  bool is_client() const { return request_.demands.has_value(); }

  Engine& engine_;
  ipc::Connection asker_;
  proto::TlsProxyRequest request_;
  tls::Demands demands_;  ///< Where we are the client.
  std::optional<io::Stream> network_;
};

}  // namespace postrider::tlsproxy

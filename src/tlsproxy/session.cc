#include "tlsproxy/session.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tls_proxy.h"
#include "io/sync.h"
#include "log/log.h"
#include "sys/hang_up.h"
#include "sys/socket.h"
#include "tlsproxy/relay.h"

namespace postrider::tlsproxy {

namespace {

/// For what processes of this mail system say to each other.
constexpr seconds kPatience{10};

}  // namespace

void Session::run() {
  if (!begin() || !receive_descriptor()) return;
  log::info("CONNECT {} {}", is_client() ? "to" : "from", printable(request_.peer));
  serve();
  log::info("DISCONNECT {}", printable(request_.peer));
}

/// Who looks whether the service lives goes without a word.
bool Session::begin() {
  Deadline deadline = Deadline::after(kPatience);
  auto request = asker_.receive_as<proto::TlsProxyRequest>(deadline);
  if (!request) {
    if (request.error().kind != ErrorKind::closed) log::warning("{}", request.error().text);
    return false;
  }
  request_ = std::move(*request);
  if (may_begin()) return asker_.send(proto::TlsProxyReady{}, deadline).has_value();
  ipc::Failure failure;
  failure.kind = static_cast<uint8_t>(ErrorKind::temporary);
  failure.reason = fmt::format("TLS {} role is not available", is_client() ? "client" : "server");
  log::warning("request from {} for {}: {}", printable(request_.service), printable(request_.peer),
               failure.reason);
  (void)asker_.send(failure, deadline);
  return false;
}

bool Session::may_begin() {
  if (!is_client()) return engine_.server() != nullptr;
  auto demands = clients::decode_demands(*request_.demands);
  if (!demands || engine_.client() == nullptr) return false;
  demands_ = std::move(*demands);
  return true;
}

bool Session::receive_descriptor() {
  io::Stream& stream = asker_.stream();
  Deadline deadline = Deadline::after(kPatience);
  // The request is done with: what comes now is no frame.
  (void)asker_.wait_frame(Deadline::after(seconds(0)));
  for (;;) {
    char byte;
    sys::Fd fd;
    auto count = sys::receive_with_fd(stream.fd(), &byte, 1, fd);
    if (count && fd) {
      network_.emplace(std::move(fd));
      return true;
    }
    // The asker may have changed its mind.
    if (count && *count == 0) return false;
    if (count || count.error().code != EAGAIN || !stream.events().wait_readable(deadline)) {
      log::warning("no connection has come for {}", printable(request_.peer));
      return false;
    }
  }
}

void Session::serve() {
  tls::Session* session = handshake();
  if (session == nullptr) {
    log::info("TLS handshake failed for service={} peer={}", printable(request_.service),
              printable(request_.peer));
    return;
  }
  if (!is_welcome(session->info()) || !report(session->info())) return;
  io::Stream plain = std::move(asker_.stream());
  seconds idle{request_.idle_seconds};
  Relay(plain, *network_, idle, engine_.fast_shutdown()).run();
  if (is_client()) engine_.client()->keep(*session, engine_.client_support(), Deadline::after(kPatience));
}

/// Nobody waits for a peer when the asker has gone. Null: it has failed.
tls::Session* Session::handshake() {
  Deadline deadline = Deadline::after(seconds(request_.handshake_seconds));
  bool over = false;
  io::TaskGroup watching;
  watching.spawn([&] {
    io::Stream& asker = asker_.stream();
    while (!over && !asker.fill_available() && !asker.at_end() && !asker.broken()) {
      if (!asker.wait_input(deadline)) return;
    }
    if (!over) sys::hang_up(network_->fd());
  });
  auto session = connect(deadline);
  over = true;
  asker_.stream().events().wake_reader();
  watching.wait(Deadline::never());
  tls::Session* out = session.get();
  if (session) network_->set_transport(std::move(session));
  return out;
}

std::unique_ptr<tls::Session> Session::connect(Deadline deadline) {
  if (is_client()) {
    return engine_.client()->connect(*network_, request_.label, demands_, engine_.client_support(), deadline);
  }
  return engine_.server()->accept(*network_, request_.label, engine_.server_support(), deadline);
}

bool Session::is_welcome(const tls::Info& info) const {
  if (is_client() || !engine_.requires_certificate() || info.peer.trusted) return true;
  log::info("abort: TLS from {}: {}", printable(request_.peer),
            info.peer.present ? "Client certificate not trusted" : "No client certificate presented");
  return false;
}

bool Session::report(const tls::Info& info) {
  proto::TlsProxyStarted started;
  const tls::Peer& peer = info.peer;
  started.summary = tls::summary(info, is_client() ? "established to" : "established from", request_.label);
  started.present = peer.present;
  started.trusted = peer.trusted;
  started.matched = peer.matched;
  started.common_name = peer.common_name;
  started.issuer_name = peer.issuer_name;
  started.certificate_fingerprint = peer.certificate_fingerprint;
  started.key_fingerprint = peer.key_fingerprint;
  return asker_.send(started, Deadline::after(kPatience)).has_value();
}

}  // namespace postrider::tlsproxy

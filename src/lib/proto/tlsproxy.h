// Handing a connection to tlsproxy, which speaks TLS on it. Types 158 to 161.
//
// One session for each connection to the service:
//
//   asker      TlsProxyRequest
//   tlsproxy   TlsProxyReady, or Failure: TLS cannot be had
//   asker      one byte, and with it the descriptor of the connection
//   tlsproxy   TlsProxyStarted after the handshake; without one the connection just ends
//
// From then on there are no frames any more: what is said through TLS goes both ways as it is. The end of
// either connection is passed on to the other.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// A TLSA record, or what stands for a fingerprint or an authority (tls::Tlsa).
struct TlsProxyRecord {
  uint8_t usage = 0, selector = 0, matching = 0;
  ipc::Text<ipc::kMaxChunk> data;
  void fields(auto& f) { f(usage, selector, matching, data); }
};

/// What a session has to be like where tlsproxy is the client (tls::Demands).
struct TlsProxyDemands {
  uint8_t level = 0;  ///< A tls::Level.
  ipc::Text<ipc::kMaxName> protocols, cipher_grade, cipher_exclusions;
  ipc::List<ipc::Text<ipc::kMaxName>, 100> names;
  ipc::List<TlsProxyRecord, 100> records;
  ipc::Text<ipc::kMaxName> base_domain, server_name, session_key;
  void fields(auto& f) {
    f(level, protocols, cipher_grade, cipher_exclusions, names, records, base_domain, server_name,
      session_key);
  }
};

struct TlsProxyRequest {
  static constexpr uint16_t kType = 158;
  ipc::Text<ipc::kMaxName> service;  ///< For whom, for the log.
  ipc::Text<ipc::kMaxName> peer;     ///< Who is at the other end, for the log: "[address]:port".
  ipc::Text<ipc::kMaxName> label;    ///< The same where TLS has something to say: "name[address]:port".
  uint32_t handshake_seconds = 0;
  uint32_t idle_seconds = 0;               ///< Without a byte in either direction the session ends.
  std::optional<TlsProxyDemands> demands;  ///< None: the peer is the client.
  void fields(auto& f) { f(service, peer, label, handshake_seconds, idle_seconds, demands); }
};

struct TlsProxyReady {
  static constexpr uint16_t kType = 159;
  void fields(auto&) {}
};

struct TlsProxyStarted {
  static constexpr uint16_t kType = 160;
  ipc::Text<ipc::kMaxReason> summary;  ///< tls::summary()
  // Of tls::Peer.
  bool present = false, trusted = false, matched = false;
  ipc::Text<ipc::kMaxName> common_name, issuer_name, certificate_fingerprint, key_fingerprint;
  void fields(auto& f) {
    f(summary, present, trusted, matched, common_name, issuer_name, certificate_fingerprint, key_fingerprint);
  }
};

}  // namespace postrider::proto

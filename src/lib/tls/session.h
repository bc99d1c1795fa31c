// A TLS session on a stream, on either side.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "io/stream.h"
#include "io/transport.h"
#include "mail/trace_header.h"
#include "tls/log_topics.h"
#include "tls/openssl.h"
#include "tls/peer.h"
#include "tls/verification.h"

namespace postrider::tls {

/// What is known of a session once its handshake is done.
struct Info {
  mail::ReceivedTls handshake;  ///< Protocol, cipher, keys; for Received: and the log.
  Peer peer;
  std::string server_name;  ///< The name that the client has asked for, where that made a difference.
  bool resumed = false;
};

/// "Trusted TLS connection established to name[address]:25: TLSv1.3 with cipher ...". `what` is "established
/// from", "established to", "reused to".
std::string summary(const Info& info, std::string_view what, std::string_view peer);

/// "name[address]:25: subject_CN=..., issuer_CN=..., fingerprint=..., pkey_fingerprint=..."
std::string certificate_line(const Peer& certificate, std::string_view peer);

/// "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 ...", for log lines.
std::string handshake_text(const mail::ReceivedTls& handshake);

/// Bytes through TLS, on a descriptor that the stream owns. Its address must not change: OpenSSL's callbacks
/// know it.
class Session : public io::Transport {
 public:
  /// What the session is called in the log, and how much of it is logged (smtpd_tls_loglevel).
  struct Labels {
    std::string peer;  ///< "name[address]"
    LogTopics topics;
    bool server = true;
    bool tells_failure = true;  ///< A handshake that fails has a line of its own.
  };
  /// An error only where memory is missing.
  static Result<std::unique_ptr<Session>> create(SSL_CTX* context, Labels labels);
  /// The session that a callback is about.
  static Session& of(const SSL* connection);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  enum class Step : unsigned char { done, client_hello, failed };
  /// Goes on with the handshake, until it is done or the callback for the client's first message wants
  /// something to be looked up. What fails is logged, as an error of `call` ("SSL_accept").
  Step handshake(io::Stream& stream, std::string_view call, Deadline deadline);

  Outcome read(char* to, size_t room) override;
  Outcome write(std::string_view data) override;
  Outcome shutdown() override;

  SSL* connection() const { return connection_.get(); }
  const Labels& labels() const { return labels_; }
  const Info& info() const { return info_; }
  Info& info() { return info_; }
  /// Reads what the handshake has come to into info(): all but names and fingerprints of the peer.
  void note_handshake();
  /// Names and fingerprints of the peer's certificate, if it has shown one, and whether it is trusted.
  void note_peer(const EVP_MD* digest);
  /// What verification has found fault with.
  VerifyProblems problems;
  /// The log line about it.
  std::string verification_failure() const;

  // What callbacks leave for the fiber.
  struct Hello {
    std::string session_id, server_name;
    bool seen = false;
    bool newest = false;  ///< Both sides speak TLS 1.3.
  };
  Hello hello;
  /// A session that the client may mean, as it was saved, by its id.
  std::optional<std::pair<std::string, std::string>> saved;
  /// Sessions to be saved: id and data.
  std::vector<std::pair<std::string, std::string>> to_save;
  bool used_ticket = false;
  std::string session_key;  ///< Of the client: what its sessions are saved under.

 private:
  Session(Connection connection, Labels labels);
  Outcome outcome(int result);
  void trace(std::string_view what, std::string_view data) const;

  Connection connection_;
  Labels labels_;
  Info info_;
  bool failed_ = false;
};

/// Has OpenSSL's progress logged for sessions with LogTopics::progress.
void log_progress(SSL_CTX* context);

}  // namespace postrider::tls

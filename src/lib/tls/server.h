// The server's side of TLS.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "io/stream.h"
#include "tls/credentials.h"
#include "tls/library.h"
#include "tls/log_topics.h"
#include "tls/session.h"

namespace postrider::tls {

/// Whose parameters: smtpd_tls_... or tlsproxy_tls_...
enum class ServerRole : unsigned char { smtpd, tlsproxy };

struct ServerSettings {
  explicit ServerSettings(const config::Config& config, ServerRole role = ServerRole::smtpd);

  IdentityFiles identity;
  AuthorityFiles authorities;
  std::string dh_file;
  bool asks_certificate, requires_certificate;
  int verify_depth;
  std::string protocols, mandatory_protocols, ciphers, mandatory_ciphers, excluded_ciphers,
      mandatory_excluded_ciphers;
  std::string fingerprint_digest;
  LogTopics topics;
  bool tells_failure = true;  ///< Handshakes that fail have a line of their own.
  std::string session_cache;  ///< smtpd_tls_session_cache_database
  seconds session_timeout;    ///< 0: no session is resumed.
  std::string ticket_cipher;
  bool always_session_ids;
  std::string server_name_maps;  ///< tls_server_sni_maps
  std::string service;           ///< Sessions are only resumed with the service that made them.
};

/// A key for session tickets. Until `expires` tickets are made with it, and as long again it opens them.
struct TicketKey {
  static constexpr size_t kNameSize = 16, kKeySize = 32;
  std::string name, cipher_key, mac_key;
  std::time_t expires = 0;
};
struct TicketKeys {
  std::optional<TicketKey> current, previous;
};

/// What handshakes want of their surroundings. All of it may suspend: nothing is asked from within OpenSSL.
class ServerSupport {
 public:
  virtual ~ServerSupport() = default;
  /// The keys to use now. No current one: no tickets are made.
  virtual std::shared_ptr<const TicketKeys> ticket_keys(Deadline deadline) = 0;
  /// A session by its id; and what to keep.
  virtual std::optional<std::string> find_session(std::string_view id, Deadline deadline) = 0;
  virtual void save_session(std::string_view id, std::string_view data, Deadline deadline) = 0;
  /// The keys and certificates (PEM) for a server name. An error: nobody knows now.
  virtual Result<std::optional<std::string>> find_chain(std::string_view server_name, Deadline deadline) = 0;
};

/// Keys, certificates and rules of a server; one for a process.
class Server {
 public:
  /// Reads keys and certificates. Null, with the reasons in the log: TLS cannot be had.
  static std::unique_ptr<Server> create(const ServerSettings& settings, const LibrarySettings& library,
                                        bool mandatory);
  ~Server();

  /// A handshake with a client that has been told to begin. Null, with the reasons in the log, when it fails;
  /// nothing can be said to the client any more then. The caller puts the session onto the stream.
  std::unique_ptr<Session> accept(io::Stream& stream, const std::string& client, ServerSupport& support,
                                  Deadline deadline) const;

  /// What is read of the file system later on, and must stay within reach: directories of authorities.
  std::vector<std::string> required_paths() const;

  struct State;

 private:
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace postrider::tls

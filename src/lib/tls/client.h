// The client's side of TLS.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "io/stream.h"
#include "tls/credentials.h"
#include "tls/dane.h"
#include "tls/level.h"
#include "tls/library.h"
#include "tls/log_topics.h"
#include "tls/session.h"

namespace postrider::tls {

/// smtp_tls_... or lmtp_tls_..., as far as they are the same for all servers.
struct ClientSettings {
  ClientSettings() = default;
  ClientSettings(const config::Config& config, bool lmtp);
  /// tlsproxy_client_...
  static ClientSettings of_tlsproxy(const config::Config& config);

  IdentityFiles identity;
  AuthorityFiles authorities;
  int verify_depth = 9;
  std::string fingerprint_digest;
  std::string dane_digests;
  bool wildcards_match_labels = false;  ///< tls_wildcard_matches_multiple_labels
  LogTopics topics;
  bool keeps_unmatched = false;  ///< Also sessions with servers that are not those that were wanted.
  bool tells_failure = true;     ///< Handshakes that fail have a line of their own.
  std::string session_cache;     ///< smtp_tls_session_cache_database
  seconds session_timeout{};     ///< 0: no session is resumed.
  std::string cache_name;        ///< "smtp", "lmtp"
};

/// What a session has to be like.
struct Demands {
  Level level = Level::may;
  std::string protocols;     ///< As smtp_tls_protocols.
  std::string cipher_grade;  ///< As smtp_tls_ciphers.
  std::string cipher_exclusions;
  /// The server's certificate has to have one of these; ".example.com" stands for all names below that.
  std::vector<std::string> names;
  /// What the server, or its authority, has to show. None: authorities of the configuration decide.
  std::vector<Tlsa> records;
  std::string base_domain;  ///< With DANE: where the records were found.
  std::string server_name;  ///< To be asked for (SNI); may be empty.
  std::string
      session_key;  ///< Whose sessions may be resumed, apart from all this: the server's name for itself.
};

/// Where sessions are kept. May suspend.
class ClientSupport {
 public:
  virtual ~ClientSupport() = default;
  virtual std::optional<std::string> find_session(std::string_view key, Deadline deadline) = 0;
  virtual void save_session(std::string_view key, std::string_view data, Deadline deadline) = 0;
  virtual void remove_session(std::string_view key, Deadline deadline) = 0;
};

/// Keys, certificates and authorities of a client; one for a process.
class Client {
 public:
  /// Reads keys and certificates. Null, with the reasons in the log: TLS cannot be had.
  static std::unique_ptr<Client> create(const ClientSettings& settings, const LibrarySettings& library);
  ~Client();

  /// A handshake with a server that waits for it. `server` is "name[address]:port". Null, with the reasons in
  /// the log, when it fails; nothing can be said to the server any more then. A server that does not show
  /// what it has to is a matter for the caller: Peer::matched. The caller puts the session onto the stream.
  std::unique_ptr<Session> connect(io::Stream& stream, const std::string& server, const Demands& demands,
                                   ClientSupport& support, Deadline deadline) const;
  /// Keeps what the server has sent since, so that the session can be resumed.
  void keep(Session& session, ClientSupport& support, Deadline deadline) const;
  /// Another message goes over the session.
  void log_reuse(const Session& session) const;

  const DaneDigests& digests() const;
  /// What is read of the file system later on, and must stay within reach: directories of authorities.
  std::vector<std::string> required_paths() const;

  struct State;

 private:
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace postrider::tls

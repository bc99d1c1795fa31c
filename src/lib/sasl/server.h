// Authentication of clients (RFC 4422), whoever checks the passwords.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "sasl/security.h"

namespace postrider::sasl {

/// Challenges longer than this, in base64, end an exchange.
inline constexpr size_t kMaxChallenge = 60 * 1024;
/// So many mechanisms are looked at.
inline constexpr size_t kMaxMechanisms = 64;

/// The connection that somebody authenticates over.
struct Peer {
  std::string server_address, server_port, client_address, client_port;  ///< Empty: not known.
  bool encrypted = false;
};

/// What came of a step.
struct Outcome {
  enum class Kind : unsigned char {
    challenge,  ///< `text` goes to the client, in base64; its response comes next.
    done,       ///< `login` has authenticated.
    failed,     ///< `text` tells why.
    temporary,  ///< The same; nothing is known about the client's password.
  };
  Kind kind = Kind::failed;
  std::string text;
  /// The login name; of a failure, the one that was tried, as far as known.
  std::optional<std::string> login;

  static Outcome failed(std::string why) { return {Kind::failed, std::move(why), {}}; }
  static Outcome temporary(std::string why) { return {Kind::temporary, std::move(why), {}}; }
};

/// One session's authentication. At most one exchange is under way.
class Server {
 public:
  virtual ~Server() = default;
  /// The mechanisms that the security options leave, as the plug-in orders them. An error tells why there are
  /// none; it has been logged.
  virtual Result<std::vector<std::string>> mechanisms(Deadline deadline) = 0;
  /// Begins an exchange; `initial` is the client's first response in base64, if it sent one (empty: an empty
  /// one).
  virtual Outcome first(std::string_view mechanism, std::optional<std::string_view> initial,
                        Deadline deadline) = 0;
  /// The client's response to a challenge, in base64.
  virtual Outcome next(std::string_view response, Deadline deadline) = 0;
  /// The client has given up.
  virtual void cancel(Deadline deadline) = 0;
};

/// What a process needs for the sessions of one service.
class Service {
 public:
  virtual ~Service() = default;
  /// A session's; the service must outlive it.
  virtual std::unique_ptr<Server> begin(Peer peer, SecurityOptions options) = 0;
  /// What it reads after the start of the process, for the sandbox.
  virtual std::vector<std::string> paths() const { return {}; }
};

struct ServiceSettings {
  std::string type;              ///< "cyrus", "dovecot"
  std::string path;              ///< smtpd_sasl_path
  std::string service;           ///< "smtp"
  std::string hostname, realm;   ///< `realm` may be empty.
  std::string config_path;       ///< Where Cyrus looks for `path`.conf; empty: where it usually does.
  std::string config_directory;  ///< Of the mail system: its "sasl" folder is looked at first then.
  seconds connect_timeout{10};   ///< For a connection to the authentication server.
  seconds answer_timeout{30};    ///< For each answer; it may be slow on purpose.
};

/// Opens what `settings.type` names: plug-ins and configuration are read now. ErrorKind::not_found for a type
/// that there is not.
Result<std::unique_ptr<Service>> create_service(const ServiceSettings& settings);

}  // namespace postrider::sasl

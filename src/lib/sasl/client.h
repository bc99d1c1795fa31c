// Logging in to other servers (RFC 4422).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "sasl/security.h"

namespace postrider::sasl {

struct Credentials {
  std::string user, password;
};

/// One exchange with a server. Errors are for the log and for those whose mail has to wait.
class Client {
 public:
  virtual ~Client() = default;
  struct Start {
    std::string mechanism;
    std::optional<std::string> initial;  ///< In base64; may be empty.
  };
  /// Chooses the best of the server's mechanisms, which are separated by spaces.
  virtual Result<Start> start(std::string_view mechanisms, Deadline deadline) = 0;
  /// The response to a challenge; both in base64.
  virtual Result<std::string> respond(std::string_view challenge, Deadline deadline) = 0;
};

/// What a process needs to log in anywhere.
class ClientService {
 public:
  virtual ~ClientService() = default;
  /// `host` is the server's name. The service must outlive the result.
  virtual std::unique_ptr<Client> begin(std::string_view host, Credentials credentials,
                                        SecurityOptions options) = 0;
};

struct ClientSettings {
  std::string type;                ///< "cyrus"
  std::string service = "smtp";    ///< Or "lmtp".
  bool authorize_as_user = false;  ///< The login name is also sent as the authorization identity.
  seconds step_timeout{30};
};

/// ErrorKind::not_found for a type that there is not.
Result<std::unique_ptr<ClientService>> create_client_service(const ClientSettings& settings);

}  // namespace postrider::sasl

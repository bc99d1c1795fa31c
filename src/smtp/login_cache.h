// Logins that servers have refused, so that a wrong password is not tried with every message
// (smtp_sasl_auth_cache_name).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "config/config.h"
#include "sasl/client.h"
#include "smtp/settings.h"
#include "table/table.h"

namespace postrider::smtp_client {

/// An entry's value: when it was made, the password (as a digest), and what the server said.
struct RefusedLogin {
  int64_t when = 0;
  std::string digest, dsn, text;

  /// "1700000000;base64;5.7.8;535 5.7.8 Error"
  std::string value() const;
  static std::optional<RefusedLogin> parse(std::string_view value);
};

class LoginCache {
 public:
  /// Opens the table, if the configuration has one. Throws ConfigError.
  LoginCache(const config::Config& config, const Settings& settings);

  /// What the server said to this login not too long ago. A table that does not answer is as good as an empty
  /// one.
  std::optional<RefusedLogin> find(std::string_view host, const sasl::Credentials& credentials,
                                   Deadline deadline) const;
  void remember(std::string_view host, const sasl::Credentials& credentials, std::string_view dsn,
                std::string_view text, Deadline deadline) const;

 private:
  std::shared_ptr<table::Table> table_;  // Null: there is none.
  seconds lifetime_;
};

}  // namespace postrider::smtp_client

// Logging in to a server (smtp_sasl_auth_enable).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/delivery.h"
#include "sasl/client.h"
#include "smtp/ledger.h"
#include "smtp/login_cache.h"
#include "smtp/server_session.h"
#include "smtp/settings.h"
#include "smtp/tables.h"

namespace postrider::smtp_client {

/// The mechanisms of EHLO lines, each once, those that `filter` leaves; separated by spaces.
Result<std::string> usable_mechanisms(const std::vector<std::string>& lines, const table::MatchList& filter,
                                      Deadline deadline);

/// Logs in after EHLO, where the tables have a password. False when that came to nothing: then the recipients
/// have been decided about as far as no other server may have them.
class Authentication {
 public:
  /// `nexthop` is the destination as it was given.
  Authentication(sasl::ClientService& service, const LoginCache& refused_logins, const Settings& settings,
                 const Tables& tables, const proto::DeliverRequest& request, std::string_view nexthop,
                 Ledger& ledger, ServerSession& session)
      : service_(service),
        refused_logins_(refused_logins),
        settings_(settings),
        tables_(tables),
        request_(request),
        nexthop_(nexthop),
        ledger_(ledger),
        session_(session) {}

  bool run();
  /// Whether the tables have a password for the server, or cannot tell.
  bool has_credentials() const;

 private:
  Result<std::optional<sasl::Credentials>> find_credentials() const;
  const sasl::SecurityOptions& security() const;
  bool log_in(const std::string& mechanisms, const sasl::Credentials& credentials);
  bool refused_before(const sasl::Credentials& credentials);
  smtp::Outcome<smtp::Reply> send(std::string_view command, std::string_view shown);
  bool local_problem();
  bool cannot(std::string_view why);
  bool refused(const smtp::Reply& reply, std::string reason);
  bool lost(const smtp::SessionFailure& failure);

  sasl::ClientService& service_;
  const LoginCache& refused_logins_;
  const Settings& settings_;
  const Tables& tables_;
  const proto::DeliverRequest& request_;
  std::string_view nexthop_;
  Ledger& ledger_;
  ServerSession& session_;
};

}  // namespace postrider::smtp_client

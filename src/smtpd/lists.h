// The tables and lists that a session asks, besides those of access control.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clients/verify.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postrider::smtpd {

struct Client;

struct Lists {
  /// Opens the tables; what they need of the file system is added to `paths`. Throws ConfigError.
  Lists(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths);

  table::MatchList xclient, xforward;  ///< Clients that may use these commands.
  table::MatchList verp;               ///< Clients that may use XVERP.
  table::MatchList bare_lf_exclusions;
  table::MatchList event_exceptions;  ///< Clients without limits.
  table::MatchList debug_peers;       ///< Clients whose dialogue is logged.
  table::MatchList sasl_exceptions;   ///< Clients that cannot log in.
  table::MatchList sasl_mechanisms;   ///< What is announced.
  table::MatchList noop_commands, forbidden_commands;
  table::Maps command_filter;
  table::Maps ehlo_discard;  ///< By client address.
  table::Maps reject_filter, reject_footer;
  clients::ProbeSender probe_sender;             ///< Mail to what address verification sends as.
  std::shared_ptr<dns::ReplyFilter> dns_filter;  ///< smtpd_dns_reply_filter, or null.
};

enum class Allowed : unsigned char { no, yes, unknown };
/// Whether a list has the client; `unknown` when it cannot be asked, which is logged.
Allowed allowed_by(const table::MatchList& list, const Client& client, Deadline deadline);
/// The same where nothing better can be done than to take "unknown" for no.
bool has_client(const table::MatchList& list, const Client& client, Deadline deadline);
/// The same for a word.
bool has_word(const table::MatchList& list, std::string_view word, Deadline deadline);

}  // namespace postrider::smtpd

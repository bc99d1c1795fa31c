// The configuration of access control, read and opened once per process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/restriction.h"
#include "base/idna.h"
#include "config/config.h"
#include "mail/address_parts.h"
#include "sys/socket.h"
#include "table/match_list.h"

namespace postrider::access {

/// What becomes of a request when a name cannot be looked up now.
enum class TempFail : unsigned char { defer_if_permit, defer };

struct Settings {
  explicit Settings(const config::Config& config);

  bool sasl;              ///< Clients can log in.
  bool filtered;          ///< Messages go to a content filter, not into the queue (smtpd_proxy_filter).
  bool asks_certificate;  ///< Clients that use TLS are asked for a certificate.
  bool delay_reject, soft_bounce, allow_untrusted_routing, show_table_names, utf8;
  bool reject_unlisted_sender, reject_unlisted_recipient;
  bool knows_addresses;  ///< Off with receive_override_options = no_unknown_recipient_checks.
  bool relay_before_recipient;
  std::string null_key;  ///< smtpd_null_access_lookup_key
  std::string myorigin, recipient_delimiter, double_bounce_sender;
  bool owner_request_special;
  bool parents_match_subdomains;  ///< In access tables.
  int64_t message_size_limit;     ///< 0: none.
  std::string default_rbl_reply;
  std::string expansion_filter;                           ///< smtpd_expansion_filter, escapes resolved.
  std::string stress, compatibility_level, mail_version;  ///< What policy services are told.
  IdnaMapping idna;                                       ///< Of domain names that are looked up.
  TempFail unknown_address_tempfail, unknown_helo_tempfail;
  struct Unverified {
    int reject_code, defer_code;
    std::string reason;  ///< Instead of the real one.
    TempFail tempfail;
  } unverified_sender, unverified_recipient;
  struct Codes {
    int access_reject, access_defer, reject, defer, invalid_hostname, non_fqdn, unknown_client,
        unknown_hostname, unknown_address, relay, plaintext, rbl, multi_recipient_bounce, unknown_local,
        unknown_relay, unknown_alias, unknown_mailbox;
  } code;
};

/// Tables of valid addresses.
struct RecipientTables {
  table::Maps canonical, sender_canonical, recipient_canonical,
      virtual_alias;                          ///< What they have is valid anywhere.
  table::Maps local, virtual_mailbox, relay;  ///< By class of the domain; empty: anything is valid.
};

struct Policy {
  /// `own_addresses` are those of inet_interfaces and proxy_interfaces. Opens the tables. Throws ConfigError.
  Policy(const config::Config& config, table::Catalog& catalog, std::vector<sys::Address> own_addresses);

  std::vector<std::string> paths;  ///< What tables need of the file system.
  Settings settings;
  RestrictionReader reader;
  RestrictionList client, helo, sender, relay, recipient, data, end_of_data, etrn;
  RecipientTables recipients;
  table::MatchList mynetworks, mydestination;
  table::Maps rbl_replies;
  table::Maps sender_logins;       ///< Who may send as whom.
  table::Maps relay_certificates;  ///< relay_clientcerts
  table::MatchList mx_backup_networks;
  table::MatchList logged_permits;  ///< smtpd_log_access_permit_actions
  std::vector<sys::Address> own_addresses;

  /// local_header_rewrite_clients
  struct RewriteClients {
    bool interfaces = false, networks = false, logins = false;
    bool certificates = false, all_certificates = false;
    std::vector<table::Maps> tables;
  } rewrite_clients;

  mail::DelimiterRules delimiters() const;
  bool is_own_address(std::string_view ip) const;
  /// Whether mail for a domain is delivered here under mydestination or to an address of this system.
  Result<bool> is_local_domain(std::string_view domain, Deadline deadline) const;

  /// A configuration with which anybody could relay is refused. For servers that face the network.
  void require_relay_control() const;
};

}  // namespace postrider::access

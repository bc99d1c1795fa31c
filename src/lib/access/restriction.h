// Lists of restrictions (smtpd_recipient_restrictions and their kin), parsed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "dns/list.h"
#include "policy/service.h"
#include "table/maps.h"

namespace postrider::access {

/// What a restriction does.
enum class Action : unsigned char {
  permit,
  reject,
  defer,
  warn_if_reject,
  defer_if_permit,
  defer_if_reject,
  sleep,
  check_access,  ///< A table decides; `subject` and `via` tell what it is asked for.
  bare_table,    ///< A table without a word before it: the stage tells what it is asked for.
  restriction_class,

  permit_mynetworks,
  permit_inet_interfaces,
  permit_auth_destination,
  permit_by_login,  ///< SASL and TLS client certificates: permits what has authenticated itself.
  reject_unauth_destination,
  defer_unauth_destination,
  reject_unauth_pipelining,
  reject_plaintext_session,
  reject_unknown_client,
  reject_unknown_reverse_client,
  reject_invalid_helo,
  reject_non_fqdn_helo,
  reject_unknown_helo,
  reject_non_fqdn_address,
  reject_unknown_domain,
  reject_unlisted,
  reject_multi_recipient_bounce,
  reject_listed,  ///< In a DNS list; `subject` tells what is looked up, none: the client's address.
  permit_listed,
  policy_service,  ///< Another program decides.
  permit_mx_backup,
  reject_unverified,  ///< An address that cannot be delivered to.
  sender_login,       ///< reject_sender_login_mismatch and the like.

  removed,  ///< Gone since release 3.9.
  unknown,
  ignored,  ///< The argument is missing, and nothing depends on it; `problem` is the log line.
  misused,  ///< The argument is missing or malformed; `problem` is the log line.
};

/// What a restriction looks at.
enum class Subject : unsigned char {
  none,
  client,
  reverse_client,
  helo,
  sender,
  recipient,
  etrn,
  login,
  certificate
};
/// Whether the subject itself is looked up, or hosts that stand for its domain.
enum class Via : unsigned char { itself, name_servers, mail_exchangers, addresses };

/// What of a certificate is looked up.
enum class CertificateKey : unsigned char { certificate, key };

struct RestrictionList;

struct Restriction {
  Action action = Action::unknown;
  Subject subject = Subject::none;
  Via via = Via::itself;
  std::string name;                         ///< As it is usually written: "reject_unauth_destination".
  std::string argument;                     ///< As written.
  table::Maps table;                        ///< One table.
  std::string domain;                       ///< Of a DNS list.
  std::optional<dns::Ipv4Pattern> pattern;  ///< What counts in its replies.
  std::shared_ptr<policy::Service> service;
  seconds pause{0};
  std::vector<CertificateKey> search_order;  ///< Of check_ccert_access.
  const RestrictionList* members = nullptr;  ///< Of a class.
  std::string problem;
  std::string advice;  ///< What to use instead of one that was removed.
};

struct RestrictionList {
  std::string parameter;
  std::string source;  ///< Where the parameter is set.
  std::vector<Restriction> items;
};

/// The words that are restrictions, for programs that check configurations.
std::vector<std::string_view> restriction_names();

/// The user's smtpd_restriction_classes, and the means to read lists.
class RestrictionReader {
 public:
  /// Reads the classes. Throws ConfigError where one is not defined. The catalog must outlive the object;
  /// what tables need of the file system is added to `paths`.
  RestrictionReader(table::Catalog& catalog, const config::Config& config, std::vector<std::string>& paths);

  /// The list that a parameter has.
  RestrictionList read(config::Param<std::string> param);
  /// The configuration has been read: what is found later is no reason to end.
  void configuration_is_complete() { strict_ = false; }
  /// A list that was found in a table. Tables in it would be opened now, which a sandbox may not allow.
  RestrictionList read_text(std::string_view text) const;

 private:
  Restriction read_one(std::string_view word, std::string_view& rest) const;
  void open_table(Restriction& out, std::string_view spec) const;
  void read_certificate_table(Restriction& out) const;
  void read_argument(Restriction& out, std::string_view& rest) const;
  Result<void> read_list_name(Restriction& out) const;
  Result<void> read_service(Restriction& out) const;

  table::Catalog& catalog_;
  const config::Config& config_;
  std::vector<std::string>* paths_;
  std::map<std::string, std::unique_ptr<RestrictionList>, std::less<>> classes_;
  policy::ServiceSettings service_defaults_;
  /// By argument: what several restrictions name is one.
  mutable std::map<std::string, std::shared_ptr<policy::Service>, std::less<>> services_;
  bool strict_ = true;  ///< Mistakes end the start-up; later they are answered with a temporary error.
};

}  // namespace postrider::access

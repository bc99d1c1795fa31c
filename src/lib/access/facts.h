// What a decision about a client's request is made of, and what it comes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dns/host.h"
#include "mail/address_parts.h"
#include "policy/service.h"
#include "tls/session.h"

namespace postrider::access {

/// What is known about a client and its request. Texts belong to the session.
struct Facts {
  std::string_view client_name = "unknown";  ///< Verified; else "unknown".
  std::string_view client_address;
  std::string_view socket_address;  ///< The same, but for what XCLIENT says.
  std::string_view client_port = "unknown";
  std::string_view sasl_method, sasl_username;  ///< Empty: nobody has logged in.
  std::string_view sasl_sender;                 ///< AUTH= of MAIL, as it was written; empty: none.
  std::string_view server_address = "unknown", server_port = "unknown";  ///< What it has connected to.
  std::string_view client;                    ///< "name[address]", as log lines have it.
  std::string_view reverse_name = "unknown";  ///< Not verified.
  dns::NameCheck name_status = dns::NameCheck::permanent;
  dns::NameCheck reverse_status = dns::NameCheck::permanent;

  std::optional<std::string_view> helo_name;
  std::optional<std::string_view> sender, recipient;  ///< In internal form.
  std::string_view where = "CONNECT";                 ///< The command, or the place behind content.
  std::string_view protocol = "SMTP";                 ///< "SMTP", "ESMTP"
  std::string_view queue_id;                          ///< Empty: no queue file yet.
  std::string_view instance;                          ///< Tells messages apart before they have a queue file.
  int64_t size = 0;                                   ///< As the client tells; behind content its real size.
  size_t recipients = 0;                              ///< Accepted so far.
  bool smtputf8 = false;                              ///< Requested for this message.
  const tls::Info* tls = nullptr;                     ///< Null: the session is not encrypted.
  bool improper_pipelining = false;                   ///< The client did not wait where it has to.
};

/// Whose fault a refusal is, in the words of notify_classes.
enum class ErrorClass : unsigned char { policy, protocol, bounce, software, resource, data };

/// What a decision rests on, from the outside in. Empty where there is nothing to tell.
struct Because {
  std::string parameter;    ///< "smtpd_recipient_restrictions"
  std::string source;       ///< "/etc/postfix/main.cf line 12"
  std::string restriction;  ///< "check_recipient_access"
  std::string table;        ///< "hash:/etc/postfix/access"
  std::string key;          ///< What was found in it.
};

/// What is wrong with a request, before the rules for replies are applied to it.
struct Complaint {
  ErrorClass error = ErrorClass::policy;
  int code = 0;        ///< "554"
  std::string status;  ///< "5.7.1"; its class follows the code's.
  std::string text;    ///< "<x@y>: Relay access denied"
  Because because;
};

/// A request that is refused.
struct Refusal {
  std::string reply;  ///< "554 5.7.1 <x@y>: Relay access denied"
  ErrorClass error = ErrorClass::policy;
  Because because;
};

/// What access tables want to be done with the message, should it be accepted.
struct Effects {
  std::string filter;    ///< transport:destination
  std::string redirect;  ///< A recipient instead of all others.
  std::vector<std::string> bcc;
  std::vector<std::string> prepend;  ///< Headers.
  bool hold = false;
  bool discard = false;
};

/// What a DNS list has about a name.
struct DnsListing {
  std::vector<std::string> addresses;  ///< The bytes of each.
  std::string text;                    ///< Why, for people.
  bool failed = false;                 ///< It did not answer.
};

/// What decisions leave behind for later ones in the same session.
struct Memory {
  using Kept = std::shared_ptr<const Complaint>;
  /// To be refused with in the end if the request would be permitted; and instead of a permanent refusal.
  Kept defer_if_permit, defer_if_reject;
  /// defer_if_permit as these stages left it.
  Kept after_client, after_helo, after_sender;
  Effects effects;
  bool hang_up = false;                                  ///< The session shall end without another word.
  std::unordered_map<std::string, DnsListing> listings;  ///< By question.
  /// Connections to policy services. To be given back when a transaction is over.
  std::map<const policy::Service*, policy::Lease> leases;
  bool sender_looked_up = false, recipient_looked_up = false;  ///< A restriction has done it already.
};

/// Hears what happens while a decision is made.
class Journal {
 public:
  virtual ~Journal() = default;
  /// "reject", "reject_warning", "hold", "warn"... and a text, as a line of the log has them.
  virtual void event(std::string_view what, std::string_view text, const Facts& facts,
                     const Because& because) = 0;
};

/// " from=<...> to=<...> proto=SMTP helo=<...>": what is known of a session, at the end of log lines.
std::string session_text(const Facts& facts, mail::LogForm form);
/// "QUEUEID: what: WHERE from CLIENT: text; from=<...> to=<...> proto=SMTP helo=<...>".
std::string event_text(std::string_view what, std::string_view text, const Facts& facts, mail::LogForm form);

}  // namespace postrider::access

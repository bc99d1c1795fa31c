// Restrictions on senders and recipients.
#include <algorithm>

#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "base/casefold.h"
#include "base/idna.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "mail/dsn.h"
#include "mail/hostname.h"
#include "mail/quote.h"

namespace postrider::access {

namespace {

constexpr dns::Type kMailTypes[] = {dns::Type::mx, dns::Type::a, dns::Type::aaaa};
constexpr uint32_t kFinalClasses =
    proto::kResolveLocal | proto::kResolveVirtualAlias | proto::kResolveVirtualMailbox;

bool is_literal(std::string_view domain) {
  return domain.starts_with('[') && domain.ends_with(']');
}

/// What follows the last "@"; nothing when there is none.
std::optional<std::string_view> domain_part(std::string_view address) {
  size_t at = address.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  return address.substr(at + 1);
}

std::string refused(std::string_view address, std::string_view about, std::string_view why) {
  return fmt::format("<{}>: {} rejected: {}", address, about, why);
}

}  // namespace

Result<proto::ResolveReply> Judge::resolve(std::string_view sender, std::string_view address) {
  proto::ResolveReply reply = TRY(world_.resolve(sender, address, deadline_));
  if ((reply.flags & proto::kResolveFailed) != 0)
    return fail(ErrorKind::temporary, "address resolver failure");
  reply.recipient = policy_.settings.utf8 ? casefold(reply.recipient) : lowercase(reply.recipient);
  return reply;
}

Judge::Verdict Judge::address_restriction(const Restriction& restriction, const Target& target) {
  bool is_sender = restriction.subject == Subject::sender;
  const auto& subject = is_sender ? facts_.sender : facts_.recipient;
  std::string_view about = is_sender ? about::kSender : about::kRecipient;
  if (!subject) return Verdict::undecided;
  switch (restriction.action) {
    case Action::permit_auth_destination: {
      Verdict verdict = authorized_destination(*subject);
      return verdict == Verdict::permit ? permit(restriction.name, target) : verdict;
    }
    case Action::reject_unauth_destination:
    case Action::defer_unauth_destination: {
      Verdict verdict = authorized_destination(*subject);
      if (verdict == Verdict::permit) return Verdict::undecided;
      if (verdict == Verdict::reject) return verdict;
      bool defer = restriction.action == Action::defer_unauth_destination;
      int code = policy_.settings.code.relay;
      return refuse(defer ? code % 100 + 400 : code, defer ? "4.7.1" : "5.7.1",
                    fmt::format("<{}>: Relay access denied", *subject));
    }
    case Action::reject_unlisted:
      return unlisted(*subject, about);
    default:
      break;
  }
  if (subject->empty()) return Verdict::undecided;
  return restriction.action == Action::reject_unknown_domain ? unknown_domain(*subject, about)
                                                             : non_fqdn_address(*subject, about);
}

Judge::Verdict Judge::non_fqdn_address(std::string_view address, std::string_view about) {
  std::string_view domain = domain_part(address).value_or(std::string_view());
  if (is_literal(domain)) return Verdict::undecided;
  if (domain.size() > 1 && domain.ends_with('.') && domain[domain.size() - 2] != '.') domain.remove_suffix(1);
  bool full =
      domain.find('.') != std::string_view::npos && mail::valid_utf8_hostname(domain, facts_.smtputf8);
  if (full) return Verdict::undecided;
  return refuse(policy_.settings.code.non_fqdn, "4.5.2",
                refused(address, about, "need fully-qualified address"));
}

Judge::Verdict Judge::unknown_domain(std::string_view address, std::string_view about) {
  auto reply = resolve(sender(), address);
  if (!reply) return lookup_failure(address);
  auto domain = domain_part(reply->recipient);
  if (!domain || is_literal(*domain) || (reply->flags & kFinalClasses) != 0) return Verdict::undecided;
  return unknown_mailhost(*domain, address, about);
}

Judge::Verdict Judge::unknown_mailhost(std::string_view domain, std::string_view address,
                                       std::string_view about) {
  std::string name(domain);
  if (!is_all_ascii(name)) name = domain_to_ascii(name, policy_.settings.idna).value_or(name);
  dns::Answer answer = world_.lookup(name, kMailTypes, deadline_);
  bool is_sender = about == about::kSender;
  std::string_view status = is_sender ? "4.1.8" : "4.1.2";
  switch (answer.status) {
    case dns::Status::found:
      return Verdict::undecided;
    case dns::Status::null_service:  // RFC 7505 section 4.
      return refuse(is_sender ? 550 : 556, is_sender ? "5.7.27" : "5.1.10",
                    refused(address, about, fmt::format("Domain {} does not accept mail (nullMX)", domain)));
    case dns::Status::policy:
      log::warning("{}: MX or address lookup error: DNS reply filter drops all results", name);
      return Verdict::undecided;
    case dns::Status::try_again:
      return defer_if_permit(policy_.settings.unknown_address_tempfail, 450, status,
                             refused(address, about, "Domain not found"));
    case dns::Status::malformed:
      return refuse(policy_.settings.code.unknown_address, status,
                    refused(address, about, "Malformed DNS server reply"));
    default:
      return refuse(policy_.settings.code.unknown_address, status,
                    refused(address, about, "Domain not found"));
  }
}

Judge::Verdict Judge::authorized_destination(std::string_view address) {
  auto reply = resolve(sender(), address);
  if (!reply) return lookup_failure(address);
  if (!domain_part(reply->recipient)) return Verdict::permit;
  // Who knows where a destination within the localpart leads to.
  if (!policy_.settings.allow_untrusted_routing && (reply->flags & proto::kResolveRouted) != 0) {
    return Verdict::undecided;
  }
  return (reply->flags & (kFinalClasses | proto::kResolveRelay)) != 0 ? Verdict::permit : Verdict::undecided;
}

// --- is there such an address? ---

Result<std::optional<table::AddressMatch>> Judge::find(const table::Maps& maps, std::string_view address,
                                                       const table::AddressSearch& search) const {
  if (maps.empty()) return std::nullopt;
  table::AddressContext context{
      .extensions = policy_.delimiters(),
      .is_local = [this](std::string_view domain, Deadline deadline) -> Result<bool> {
        if (equals_ignore_case(domain, policy_.settings.myorigin)) return true;
        return policy_.is_local_domain(domain, deadline);
      },
      .key_form = [](std::string_view key) { return mail::quote_822_local(key); }};
  auto match = TRY(table::find_address(maps, address, search, context, deadline_));
  if (match || mail::quote_822_local(address) == address) return match;
  // Tables may also have addresses as they are without quotes.
  context.key_form = nullptr;
  return table::find_address(maps, address, search, context, deadline_);
}

Result<bool> Judge::is_listed(const table::Maps& maps, std::string_view address) const {
  return TRY(find(maps, address, {})).has_value();
}

Result<bool> Judge::is_mapped(std::string_view address, bool is_sender) const {
  const RecipientTables& tables = policy_.recipients;
  if (TRY(is_listed(tables.recipient_canonical, address))) return true;
  if (is_sender && TRY(is_listed(tables.sender_canonical, address))) return true;
  if (TRY(is_listed(tables.canonical, address))) return true;
  return is_listed(tables.virtual_alias, address);
}

Result<bool> Judge::is_known_local(std::string_view address) const {
  // What the mail system itself receives mail for; with an extension these are names as any others.
  const std::string_view own[] = {policy_.settings.double_bounce_sender, "postmaster", "mailer-daemon"};
  const std::string_view name = mail::localpart_of(address);
  auto is_name = [&](std::string_view mine) { return equals_ignore_case(name, mine); };
  if (std::any_of(std::begin(own), std::end(own), is_name)) return true;
  return is_listed(policy_.recipients.local, address);
}

Judge::Verdict Judge::unlisted(std::string_view address, std::string_view about) {
  bool is_sender = about == about::kSender;
  (is_sender ? memory_.sender_looked_up : memory_.recipient_looked_up) = true;
  if (address.empty() || !policy_.settings.knows_addresses) return Verdict::undecided;
  auto reply = resolve(is_sender ? std::string_view() : sender(), address);
  if (!reply) return lookup_failure(address);
  // A table that can give no good answer is another matter than one that gives none now.
  auto failed = [&](const Error& error) {
    return error.kind == ErrorKind::invalid ? configuration_error() : lookup_failure(address);
  };
  auto mapped = is_mapped(reply->recipient, is_sender);
  if (!mapped) return failed(mapped.error());
  if (*mapped) return Verdict::undecided;

  const Settings::Codes& code = policy_.settings.code;
  const RecipientTables& tables = policy_.recipients;
  std::string_view status = is_sender ? "5.1.0" : "5.1.1";
  // Mail for it would be returned, or would wait without an attempt.
  bool returned = reply->transport == "error";
  if (returned || reply->transport == "retry") {
    mail::StatusCode fallback = is_sender ? mail::StatusCode("5.1.0") : mail::StatusCode("5.1.1");
    mail::StatusText text =
        mail::split_status_text(returned ? fallback : fallback.with_class('4'), reply->nexthop);
    int bounce_code = (reply->flags & proto::kResolveVirtualAlias) != 0 ? code.unknown_alias : 550;
    return refuse(Complaint{ErrorClass::bounce, returned ? bounce_code : 450,
                            fitting_status(text.code.text(), about), refused(address, about, text.text),
                            because()});
  }
  auto unknown = [&](int reply_code, std::string_view table) {
    std::string why = "User unknown";
    if (policy_.settings.show_table_names) why += fmt::format(" in {} table", table);
    return refuse(Complaint{ErrorClass::bounce, reply_code, std::string(status), refused(address, about, why),
                            because()});
  };
  auto look_up = [&](Result<bool> known, int reply_code, std::string_view table) {
    if (!known) return failed(known.error());
    return *known ? Verdict::undecided : unknown(reply_code, table);
  };
  if ((reply->flags & proto::kResolveVirtualAlias) != 0) return unknown(code.unknown_alias, "virtual alias");
  if ((reply->flags & proto::kResolveVirtualMailbox) != 0 && !tables.virtual_mailbox.empty()) {
    return look_up(is_listed(tables.virtual_mailbox, reply->recipient), code.unknown_mailbox,
                   "virtual mailbox");
  }
  if ((reply->flags & proto::kResolveRelay) != 0 && !tables.relay.empty()) {
    return look_up(is_listed(tables.relay, reply->recipient), code.unknown_relay, "relay recipient");
  }
  if ((reply->flags & proto::kResolveLocal) != 0 && !tables.local.empty()) {
    return look_up(is_known_local(reply->recipient), code.unknown_local, "local recipient");
  }
  return Verdict::undecided;
}

}  // namespace postrider::access

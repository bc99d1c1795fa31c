// Lists of clients and domains that others keep in the DNS (RFC 5782).
#include <algorithm>

#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "access/session_names.h"
#include "base/idna.h"
#include "base/text.h"
#include "config/macro.h"
#include "dns/list.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "mail/dsn.h"

namespace postrider::access {

namespace {

constexpr dns::Type kAddress[] = {dns::Type::a};
constexpr dns::Type kText[] = {dns::Type::txt};
/// A session asks about no more names than this and remembers the answers.
constexpr size_t kMaxRemembered = 500;

/// A domain that can be part of a question; empty when there is none, as for an address literal.
std::string askable(std::string_view domain, IdnaMapping mapping) {
  if (domain.empty() || domain.starts_with('[') || domain == "unknown") return {};
  std::string out(domain);
  if (!is_all_ascii(out)) out = domain_to_ascii(out, mapping).value_or(std::string());
  return out;
}

}  // namespace

/// What a list says about a name: nothing when it does not have it.
Result<const DnsListing*> Judge::listing(const Restriction& r, const std::string& name) {
  std::string question = fmt::format("{}.{}", name, r.domain);
  auto known = memory_.listings.find(question);
  if (known == memory_.listings.end()) {
    if (memory_.listings.size() >= kMaxRemembered) memory_.listings.clear();
    DnsListing found;
    dns::Answer answer = world_.lookup(question, kAddress, deadline_);
    if (answer.found()) {
      for (const dns::Record& record : answer.records) {
        if (record.type == dns::Type::a) found.addresses.push_back(record.data);
      }
      dns::Answer text = world_.lookup(question, kText, deadline_);
      if (text.found()) found.text = text.records.front().data;
      if (text.status == dns::Status::policy) {
        log::warning("{}: TXT lookup error: DNS reply filter drops all results", question);
      }
    } else if (answer.status != dns::Status::not_found) {
      log::warning("{}: RBL lookup error: {}", question, answer.text);
      found.failed = true;
    }
    known = memory_.listings.emplace(std::move(question), std::move(found)).first;
  }
  const DnsListing& listing = known->second;
  if (listing.failed) return fail(ErrorKind::temporary, "");
  auto matches = [&](const std::string& address) {
    std::span bytes(reinterpret_cast<const uint8_t*>(address.data()), address.size());
    return !r.pattern || r.pattern->matches(bytes);
  };
  return std::any_of(listing.addresses.begin(), listing.addresses.end(), matches) ? &listing : nullptr;
}

/// What a list is asked about, as the question has it and as people read it.
std::optional<Judge::Listed> Judge::listed_subject(const Restriction& r) const {
  Listed out;
  const IdnaMapping idna = policy_.settings.idna;
  switch (r.subject) {
    case Subject::none: {  // The client's address.
      auto address = sys::Address::from_ip(facts_.client_address);
      if (!address) return std::nullopt;
      out = {dns::reversed(*address), std::string(facts_.client_address), about::kClient};
      break;
    }
    case Subject::client:
      out = {askable(facts_.client_name, idna), std::string(facts_.client_name), about::kClient};
      break;
    case Subject::reverse_client:
      out = {askable(facts_.reverse_name, idna), std::string(facts_.reverse_name), about::kReverseClient};
      break;
    case Subject::helo:
      if (facts_.helo_name)
        out = {askable(*facts_.helo_name, idna), std::string(*facts_.helo_name), about::kHelo};
      break;
    case Subject::sender:
      if (facts_.sender)
        out = {askable(mail::domain_of(sender()), idna), std::string(sender()), about::kSender};
      break;
    case Subject::recipient:
      if (facts_.recipient) {
        out = {askable(mail::domain_of(*facts_.recipient), idna), std::string(*facts_.recipient),
               about::kRecipient};
      }
      break;
    default:
      break;
  }
  if (out.name.empty()) return std::nullopt;
  return out;
}

Judge::Verdict Judge::dns_list(const Restriction& r) {
  auto subject = listed_subject(r);
  if (!subject) return Verdict::undecided;
  bool permits = r.action == Action::permit_listed;
  if (permits) {
    // A friend of somebody else's does not get to relay.
    if (!facts_.recipient || authorized_destination(*facts_.recipient) != Verdict::permit)
      return Verdict::undecided;
  }
  auto found = listing(r, subject->name);
  if (!found) {
    if (!permits) return Verdict::undecided;
    return defer_if_reject(
        450, "4.7.1", fmt::format("<{}>: {} rejected: Service unavailable", subject->text, subject->about));
  }
  if (!*found) return Verdict::undecided;
  key_ = subject->name;
  if (permits) return permit(r.name, {subject->text, subject->about});
  return refuse_listed(r, *subject, (*found)->text);
}

/// The reply that the configuration has for a list.
Result<std::string> Judge::listed_template(const Restriction& r) const {
  for (const std::string& key : {r.argument, r.domain}) {
    auto found = TRY(policy_.rbl_replies.find(key, table::Where::all, deadline_));
    if (found) return std::move(found->value);
  }
  return policy_.settings.default_rbl_reply;
}

Judge::Verdict Judge::refuse_listed(const Restriction& r, const Listed& subject, const std::string& reason) {
  auto text = listed_template(r);
  if (!text) return lookup_failure(subject.text);
  auto value = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "rbl_code") return fmt::format("{}", policy_.settings.code.rbl);
    if (name == "rbl_class") return std::string(subject.about);
    if (name == "rbl_domain") return r.domain;
    if (name == "rbl_reason" || name == "rbl_txt") return reason;
    if (name == "rbl_what") return subject.text;
    return session_value(name, facts_);
  };
  config::MacroOptions options;
  options.allowed = policy_.settings.expansion_filter;
  auto expanded = config::expand_macros(*text, value, options);
  std::string reply = expanded ? expanded->text : std::string();
  if (!expanded) log::warning("{}", expanded.error().text);
  std::string_view code = std::string_view(reply).substr(0, 3);
  bool good =
      reply.size() >= 4 && is_all_digits(code) && (code[0] == '4' || code[0] == '5') && reply[3] == ' ';
  if (!good) {
    log::warning("rbl response code configuration error: {}", reply);
    return refuse(450, "4.7.1", "Service unavailable");
  }
  mail::StatusText parts =
      mail::split_status_text(mail::StatusCode("5.7.1"), std::string_view(reply).substr(4));
  return refuse(static_cast<int>(*parse_int(code)), fitting_status(parts.code.text(), subject.about),
                std::string(parts.text));
}

}  // namespace postrider::access

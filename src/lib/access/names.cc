// Restrictions on clients and on what they call themselves.
#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"

namespace postrider::access {

namespace {

/// Without a dot at the end, which is allowed in some places; "..", an error, is left.
std::string_view without_final_dot(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.') && name[name.size() - 2] != '.') name.remove_suffix(1);
  return name;
}

constexpr dns::Type kHostTypes[] = {dns::Type::a, dns::Type::aaaa, dns::Type::mx};

}  // namespace

Judge::Verdict Judge::permit_mynetworks(const Target& target) {
  auto match = policy_.mynetworks.match(facts_.client_name, facts_.client_address, deadline_);
  if (!match) return lookup_failure(target.name);
  if (!match->matched) return Verdict::undecided;
  if (match->by) table_ = match->by->source;
  return permit("permit_mynetworks", {facts_.client, about::kClient});
}

Judge::Verdict Judge::permit_inet_interfaces() {
  if (!policy_.is_own_address(facts_.socket_address)) return Verdict::undecided;
  return permit("permit_inet_interfaces", {facts_.client, about::kClient});
}

Judge::Verdict Judge::unknown_client() {
  if (facts_.name_status == dns::NameCheck::ok) return Verdict::undecided;
  int code = facts_.name_status == dns::NameCheck::temporary ? 450 : policy_.settings.code.unknown_client;
  return refuse(code, "4.7.25",  // RFC 7372
                fmt::format("Client host rejected: cannot find your hostname, [{}]", facts_.client_address));
}

Judge::Verdict Judge::unknown_reverse_client() {
  if (facts_.reverse_status == dns::NameCheck::ok) return Verdict::undecided;
  int code = facts_.reverse_status == dns::NameCheck::temporary ? 450 : policy_.settings.code.unknown_client;
  return refuse(
      code, "4.7.1",
      fmt::format("Client host rejected: cannot find your reverse hostname, [{}]", facts_.client_address));
}

Judge::Verdict Judge::helo_restriction(const Restriction& restriction) {
  if (!facts_.helo_name) return Verdict::undecided;
  std::string_view name = *facts_.helo_name;
  if (name.starts_with('[')) return invalid_address_literal(name);
  switch (restriction.action) {
    case Action::reject_invalid_helo:
      return invalid_hostname(name);
    case Action::reject_non_fqdn_helo:
      return non_fqdn_hostname(name);
    default:
      return unknown_hostname(name);
  }
}

Judge::Verdict Judge::invalid_hostname(std::string_view name) {
  std::string_view bare = without_final_dot(name);
  if (mail::valid_hostname(bare) || mail::valid_host_address(bare)) return Verdict::undecided;
  return refuse(policy_.settings.code.invalid_hostname, "5.5.2",
                fmt::format("<{}>: {} rejected: Invalid name", name, about::kHelo));
}

Judge::Verdict Judge::invalid_address_literal(std::string_view name) {
  std::string_view text = name;
  if (text.size() > 2 && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (mail::mailhost_address(text)) return Verdict::undecided;
  return refuse(policy_.settings.code.invalid_hostname, "5.5.2",
                fmt::format("<{}>: {} rejected: invalid ip address", name, about::kHelo));
}

Judge::Verdict Judge::non_fqdn_hostname(std::string_view name) {
  std::string_view bare = without_final_dot(name);
  if (mail::valid_utf8_hostname(bare, facts_.smtputf8) && bare.find('.') != std::string_view::npos) {
    return Verdict::undecided;
  }
  return refuse(policy_.settings.code.non_fqdn, "5.5.2",
                fmt::format("<{}>: {} rejected: need fully-qualified hostname", name, about::kHelo));
}

Judge::Verdict Judge::unknown_hostname(std::string_view name) {
  dns::Answer answer = world_.lookup(name, kHostTypes, deadline_);
  if (answer.status == dns::Status::policy) {
    log::warning("{}: address or MX lookup error: DNS reply filter drops all results", name);
    return Verdict::undecided;
  }
  // Who does not take mail exists, too.
  if (answer.found() || answer.status == dns::Status::null_service) return Verdict::undecided;
  std::string text =
      fmt::format("<{}>: {} rejected: {}", name, about::kHelo,
                  answer.status == dns::Status::malformed ? "Malformed DNS server reply" : "Host not found");
  if (answer.status == dns::Status::try_again) {
    return defer_if_permit(policy_.settings.unknown_helo_tempfail, 450, "4.7.1", std::move(text));
  }
  return refuse(policy_.settings.code.unknown_hostname, "4.7.1", std::move(text));
}

}  // namespace postrider::access

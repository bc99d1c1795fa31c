// Decisions that another program takes (SMTPD_POLICY_README), and mail that this system only backs up.
#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "base/encoding.h"
#include "base/text.h"
#include "mail/address_parts.h"

namespace postrider::access {

namespace {

constexpr dns::Type kMx[] = {dns::Type::mx};

std::string text(std::optional<std::string_view> value) {
  return std::string(value.value_or(std::string_view()));
}

}  // namespace

policy::Attributes Judge::policy_request(const policy::ServiceSettings& service) const {
  // Chunks are content, as DATA is.
  std::string state = facts_.where == "BDAT" ? "DATA" : std::string(facts_.where);
  static const tls::Info kPlain;
  const tls::Peer& peer = facts_.tls ? facts_.tls->peer : kPlain.peer;
  const mail::ReceivedTls& session = facts_.tls ? facts_.tls->handshake : kPlain.handshake;
  bool all_known = state == "DATA" || state == "END-OF-MESSAGE";
  return {{"request", "smtpd_access_policy"},
          {"protocol_state", state},
          {"protocol_name", std::string(facts_.protocol)},
          {"client_address", std::string(facts_.client_address)},
          {"client_name", std::string(facts_.client_name)},
          {"client_port", std::string(facts_.client_port)},
          {"reverse_client_name", std::string(facts_.reverse_name)},
          {"server_address", std::string(facts_.server_address)},
          {"server_port", std::string(facts_.server_port)},
          {"helo_name", text(facts_.helo_name)},
          {"sender", text(facts_.sender)},
          {"recipient", text(facts_.recipient)},
          {"recipient_count", fmt::format("{}", all_known ? facts_.recipients : 0)},
          {"queue_id", std::string(facts_.queue_id)},
          {"instance", std::string(facts_.instance)},
          {"size", fmt::format("{}", facts_.size)},
          {"etrn_domain", etrn_domain_},
          {"stress", policy_.settings.stress},
          {"sasl_method", std::string(facts_.sasl_method)},
          {"sasl_username", std::string(facts_.sasl_username)},
          {"sasl_sender", std::string(facts_.sasl_sender)},
          {"ccert_subject", peer.trusted ? xtext_encode(peer.common_name) : std::string()},
          {"ccert_issuer", peer.trusted ? xtext_encode(peer.issuer_name) : std::string()},
          {"ccert_fingerprint", peer.certificate_fingerprint},
          {"ccert_pubkey_fingerprint", peer.key_fingerprint},
          {"encryption_protocol", session.protocol},
          {"encryption_cipher", session.cipher},
          {"encryption_keysize", fmt::format("{}", session.used_bits)},
          {"policy_context", service.policy_context},
          {"compatibility_level", policy_.settings.compatibility_level},
          {"mail_version", policy_.settings.mail_version}};
}

Judge::Verdict Judge::ask_policy_service(const Restriction& r, const Target& target) {
  auto lease = memory_.leases.find(r.service.get());
  if (lease == memory_.leases.end()) {
    lease = memory_.leases.emplace(r.service.get(), policy::Lease(r.service)).first;
  }
  std::string action = lease->second.ask(policy_request(r.service->settings()), deadline_);
  return act(r, Hit{std::string(trim(action)), "policy query"}, target, {});
}

// --- permit_mx_backup ---

/// The addresses of a mail exchanger; without them a rejection has to wait.
std::optional<std::vector<sys::Address>> Judge::exchanger_addresses(const std::string& host,
                                                                    const std::string& what,
                                                                    const Target& target) {
  sys::HostAnswer answer = world_.addresses(host, deadline_);
  if (answer.found()) return std::move(answer.addresses);
  cannot_look_up(what, answer.text, target);
  return std::nullopt;
}

void Judge::cannot_look_up(std::string_view what, std::string_view why, const Target& target) {
  defer_if_reject(
      450, "4.4.4",
      fmt::format("<{}>: {} rejected: Unable to look up {}: {}", target.name, target.about, what, why));
}

/// Whether one of the mail exchangers is this system.
Result<bool> Judge::is_exchanger(const std::vector<dns::Record>& servers, const Target& target) {
  for (const dns::Record& record : servers) {
    if (record.type != dns::Type::mx) continue;
    if (TRY(policy_.is_local_domain(record.data, deadline_))) return true;
    auto addresses =
        exchanger_addresses(record.data, fmt::format("mail exchanger host {}", record.data), target);
    if (!addresses) continue;
    for (const sys::Address& address : *addresses) {
      if (policy_.is_own_address(address.ip())) return true;
    }
  }
  return false;
}

/// Whether the hosts that mail goes to first are in networks that we may back up.
Result<bool> Judge::may_back_up(const std::vector<dns::Record>& servers, const Target& target) {
  uint16_t best = UINT16_MAX;
  for (const dns::Record& record : servers)
    best = std::min(best, record.preference);
  for (const dns::Record& record : servers) {
    if (record.preference != best) continue;
    auto addresses =
        exchanger_addresses(record.data, fmt::format("host {} as mail exchanger", record.data), target);
    if (!addresses) return false;
    for (const sys::Address& address : *addresses) {
      if (!TRY(policy_.mx_backup_networks.match(address.ip(), deadline_)).matched) return false;
    }
  }
  return true;
}

Judge::Verdict Judge::mx_backup(std::string_view recipient, const Target& target) {
  auto reply = resolve(sender(), recipient);
  if (!reply) return lookup_failure(recipient);
  std::string_view domain = mail::domain_of(reply->recipient);
  if (!mail::has_domain(reply->recipient)) return permit("permit_mx_backup", target);
  if (!policy_.settings.allow_untrusted_routing && (reply->flags & proto::kResolveRouted) != 0) {
    return Verdict::undecided;
  }
  constexpr uint32_t kAuthorized = proto::kResolveLocal | proto::kResolveVirtualAlias |
                                   proto::kResolveVirtualMailbox | proto::kResolveRelay;
  if ((reply->flags & kAuthorized) != 0) return permit("permit_mx_backup", target);
  if (domain.starts_with('[')) return Verdict::undecided;
  dns::Answer answer = world_.lookup(domain, kMx, deadline_);
  if (answer.status == dns::Status::try_again) {
    cannot_look_up("mail exchanger information", "Host not found, try again", target);
  }
  if (!answer.found()) return Verdict::undecided;
  auto mine = is_exchanger(answer.records, target);
  if (!mine) return lookup_failure(recipient);
  if (!*mine) return Verdict::undecided;
  if (!policy_.mx_backup_networks.empty()) {
    auto allowed = may_back_up(answer.records, target);
    if (!allowed) return lookup_failure(recipient);
    if (!*allowed) return Verdict::undecided;
  }
  return permit("permit_mx_backup", target);
}

}  // namespace postrider::access
